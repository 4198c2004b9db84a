// Package statestore lets state outlive the component that made it: in a storage extension, or in this process for its successor.
//
// State is values by key. A storage extension can't list its keys, so a Store writes lists of them beside the values: many, so that each is
// short, because one is written again whenever a key joins it or leaves. A value and the list that names it are written in one
// transaction.
package statestore
