module github.com/otelcol-psutil/otelcol-psutil/bench

go 1.26.0
