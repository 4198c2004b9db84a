// Package commandline makes a text of the arguments of a process without the secrets among them, as far as they can be told: by the name of an option,
// variable, header or member that they are the value of, by where a program takes them, and by the form that tokens of well-known issuers have.
//
// It masks too much rather than too little. It can't know a secret that nothing marks, such as the only argument of a program that it has never heard of.
package commandline
