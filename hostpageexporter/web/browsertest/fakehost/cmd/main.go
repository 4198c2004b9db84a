// Command cmd serves the page with the data of a made host: to work on the page, and for its screenshots.
package main

import (
	"flag"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/web/browsertest/fakehost"
)

func main() {
	listen := flag.String("listen", "localhost:9475", "address to listen on")
	dist := flag.String("dist", "../dist", "directory with the files of the page")
	cpus := flag.Int("cpus", 4, "number of CPUs")
	disks := flag.Int("disks", 3, "number of disks")
	processes := flag.Int("processes", 60, "number of processes")
	hostile := flag.Bool("hostile", false, "names are markup")
	flag.Parse()
	s := fakehost.New(fakehost.Options{CPUs: *cpus, Disks: *disks, Processes: *processes, Hostile: *hostile, Page: os.DirFS(*dist)})
	server := http.Server{Addr: *listen, Handler: s, ReadHeaderTimeout: 5 * time.Second}
	log.Printf("http://%s", *listen)
	log.Fatal(server.ListenAndServe())
}
