// Package readtest holds a reader of processes against what the kernel says by /proc and its clocks: in a bracket, read before and after, while a mixture of
// busy processes runs, and in a storm of short processes whose parents know what they used. The processes are the test binary itself in a role of
// [proctest.Main].
package readtest
