// Package filestorageextension is the Collector's file_storage extension with one addition: a file that is damaged is found before it is opened. It
// costs one clear error that names the file, or, with recreate, is moved away; without the check it costs the whole Collector, at each start.
package filestorageextension
