// Package hostile has tests of the built distribution against what others do to it: local users without rights, senders, and servers that it talks to.
package hostile
