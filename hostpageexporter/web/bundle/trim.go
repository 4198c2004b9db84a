package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// unused are the places at which uPlot refers to what the page does not draw, and what stands there in the bundle: kinds of lines, axes that
// are logarithmic or hyperbolic, its own legend and its own texts of times, points that follow the pointer, charts that follow each other (the page has
// one cursor of its own), and lines that come and go. The bundler then leaves out what nothing refers to. The vendored
// file is as it was published.
var unused = [][2]string{
	{"(paths.stepped = stepped);", ""},
	{"(paths.bars    = bars);", ""},
	{"(paths.spline  = monotoneCubic);", ""},
	{"uPlot.join = join;", ""},
	{"uPlot.rangeLog = rangeLog;", ""},
	{"uPlot.rangeAsinh = rangeAsinh;", ""},
	{"uPlot.fmtDate = fmtDate;", ""},
	{"uPlot.tzDate  = tzDate;", ""},
	{"uPlot.addGap = addGap;", ""},
	{"uPlot.clipGaps = clipGaps;", ""},
	{"(sc.distr == 3 ? snapLogY : sc.distr == 4 ? snapAsinhY : snapNumY)", "snapNumY"},
	{"(sc.distr == 3 ? snapLogX : sc.distr == 4 ? snapAsinhX : snapNumX)", "snapNumX"},
	{"sc.distr == 3 ? logAxisSplits : sc.distr == 4 ? asinhAxisSplits : numAxisSplits", "numAxisSplits"},
	{"sc.distr >= 3 && sc.log == 10 ? log10AxisValsFilt : sc.distr == 3 && sc.log == 2 ? log2AxisValsFilt : retArg1", "retArg1"},
	{"[_min, _max] = rangeLog(_min, _min, scaleX.log, false);", ";"},
	{"[_min, _max] = rangeAsinh(_min, _min, scaleX.log, false);", ";"},
	{"const _fmtDate = (opts.fmtDate || fmtDate);", ""},
	{"timeAxisVals(_tzDate, timeAxisStamps((ms == 1 ? _timeAxisStampsMs : _timeAxisStampsS), _fmtDate))", "null"},
	{"timeSeriesVal(_tzDate, timeSeriesStamp(_timeSeriesStamp, _fmtDate))", "numSeriesVal"},
	{"(isStr(sv) ? timeSeriesVal(_tzDate, timeSeriesStamp(sv, _fmtDate)) : sv || _timeSeriesVal)", "_timeSeriesVal"},
	{"timeAxisVals(_tzDate, timeAxisStamps(av, _fmtDate)) :", "null :"},
	{"timeAxisVal(_tzDate, av) :", "null :"},
	{"const showLegend = legend.show;", "const showLegend = false;"},
	{"if (legend.show && legend.live && shouldSetLegend)", "if (false)"},
	{"if (mouseLeft1 < 0 || dataLen == 0 || noDataInRange) {", "if (true) {"},
	{"if (src != null) {\n\t\t\t\tlet [xKey, yKey] = syncOpts.scales;", "if (false) {\n\t\t\t\tlet [xKey, yKey] = syncOpts.scales;"},
	{"const cursorFocus = focus.prox >= 0;", "const cursorFocus = false;"},
	{"const cursorOnePt = cursorFocus && points.one;", "const cursorOnePt = false;"},
	{"if (_pub) {\n\t\t\t\tif (syncKey != null) {", "if (false) {\n\t\t\t\tif (syncKey != null) {"},
	{"idx != -1 && setSeries(idx, opts, true, false);", ""},
	{"self.setSeries = setSeries;", ""},
	{"self.setLegend = setLegend;", ""},
	{"self.addSeries = addSeries;", ""},
	{"self.delSeries = delSeries;", ""},
	{"self.addBand = addBand;", ""},
	{"self.setBand = setBand;", ""},
	{"self.delBand = delBand;", ""},
	{"self.batch = batch;", ""},
	{"if (shouldSetLegend) {\n\t\t\tlegend.idx = idx;", "if (false) {\n\t\t\tlegend.idx = idx;"},
}

func trim(build api.PluginBuild) {
	build.OnLoad(api.OnLoadOptions{Filter: `uPlot\.esm\.js$`}, func(args api.OnLoadArgs) (api.OnLoadResult, error) {
		content, err := os.ReadFile(args.Path)
		if err != nil {
			return api.OnLoadResult{}, err
		}
		text := string(content)
		for _, u := range unused {
			if strings.Count(text, u[0]) != 1 {
				return api.OnLoadResult{}, fmt.Errorf("uPlot has %q not once: it is another version than 1.6.32", u[0])
			}
			text = strings.Replace(text, u[0], u[1], 1)
		}
		return api.OnLoadResult{Contents: &text, Loader: api.LoaderJS}, nil
	})
}
