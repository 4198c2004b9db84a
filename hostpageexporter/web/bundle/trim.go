package main

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// unused are the places at which uPlot refers to what the page does not draw, and what stands there in the bundle: kinds of lines, axes that
// are logarithmic or hyperbolic, its own legend and its own texts of times, points, and those that follow the pointer, charts that follow each other
// (the page has one cursor of its own), lines that come and go, and what uPlot would choose where the page chooses itself. The bundler then
// leaves out what nothing refers to. The vendored file is as it was published.
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
	{"timeAxisVals(_tzDate, timeAxisStamps(av, _fmtDate)) :", "null :"},
	{"timeAxisVal(_tzDate, av) :", "null :"},
	{"const showLegend = legend.show;", "const showLegend = false;"},
	{"if (legend.show && legend.live && shouldSetLegend)", "if (false)"},
	{"if (mouseLeft1 < 0 || dataLen == 0 || noDataInRange) {", "if (true) {"},
	{"if (src != null) {\n\t\t\t\tlet [xKey, yKey] = syncOpts.scales;", "if (false) {\n\t\t\t\tlet [xKey, yKey] = syncOpts.scales;"},
	{"const cursorFocus = focus.prox >= 0;", "const cursorFocus = false;"},
	{"const cursorOnePt = cursorFocus && points.one;", "const cursorOnePt = false;"},
	{"uPlot.assign = assign;", ""},
	{"uPlot.fmtNum = fmtNum;", ""},
	{"uPlot.rangeNum = rangeNum;", ""},
	{"uPlot.orient   = orient;", ""},
	{"uPlot.pxRatio = pxRatio;\n", ""},
	{"on(dppxchange, win, () => { uPlot.pxRatio = pxRatio; });", ""},
	{"uPlot.sync = _sync;", ""},
	{"let paths = uPlot.paths = {\n\t\tpoints,\n\t};", ""},
	{"(paths.linear  = linear);", ""},
	{"const pointsPath = points() ;", ""},
	{"const localTz = new Intl.DateTimeFormat().resolvedOptions().timeZone;", ""},
	{"const [ timeIncrsS,  _timeAxisStampsS,  timeAxisSplitsS  ] = genTimeStuffs(1e-3);", ""},
	{"(ms == 1 ? timeIncrsMs : timeIncrsS)", "timeIncrsMs"},
	{"(ms == 1 ? timeAxisSplitsMs(_tzDate) : timeAxisSplitsS(_tzDate))", "timeAxisSplitsMs(_tzDate)"},
	{"ms == 1 ? genIncrs(10, 0, 3, allMults).filter(onlyWhole) : genIncrs(10, -3, 0, allMults)", "genIncrs(10, 0, 3, allMults).filter(onlyWhole)"},
	{"\nconst [ timeIncrsMs, _timeAxisStampsMs,", "\nconst [ timeIncrsMs,"},
	{"genIncrs(2, -53, 53, [1]);", ""},
	{"const numFormatter = new Intl.NumberFormat(domEnv ? nav.language : 'en-US');", ""},
	{"av || _timeAxisVals\n", "av\n"},
	{") : av || numAxisVals", ") : av"},
	{"(opts.padding || [autoPadSide,autoPadSide,autoPadSide,autoPadSide]).map(p => fnOrSelf(ifNull(p, autoPadSide)))", "opts.padding.map(fnOrSelf)"},
	{"rn || (isTime ? snapTimeX : scaleKey == xScaleKey ?\n\t\t\t\t\tsnapNumX :\n\t\t\t\t\tsnapNumY\n\t\t\t\t)", "rn"},
	{"[_min, _max] = rangeNum(_min, _max, rangePad, true);", ";"},
	{"assign({}, legendOpts, opts.legend)", "{}"},
	{"const markers    = legend.markers;", ""},
	{"const showLegend = false;", ""},
	{"const showCursor =                cursor.show;", ""},
	{"const cursorFocus = false;", ""},
	{"const cursorOnePt = false;", ""},
	{"cursor._lock = !cursor._lock;", ""},
	{"cursor._lock = false;", ""},
	{"if (deferHooks)\n\t\t\thooksQueue.push([evName, a1, a2]);\n\t\telse {\n", "{\n"},
	{"else if (cursor.lock)", "else if (false)"},
	{"if (drag.setScale && hasSelect && chgSelect)", "if (false)"},
	{"if (snap && (src == null || src.cursor.event.type == mousemove))", "if (snap)"},
	{"let textAlign    = axis.align == 1 ? LEFT :\n\t\t\t                   axis.align == 2 ? RIGHT :\n\t\t\t                   angle > 0 ? LEFT :\n\t\t\t                   angle < 0 ? RIGHT :", "let textAlign ="},
	{"let textBaseline = angle ||", "let textBaseline ="},
	{"let _parts = val.indexOf(\"\\n\") == -1 ? [val] : val.split(/\\n/gm);", "let _parts = [val];"},
	{"legendTable?.remove(); // in case mounted outside of root", ""},
	{"if (dragY) {\n\t\t\t\t\tif (scaleX.ori == 1)", "if (false) {\n\t\t\t\t\tif (scaleX.ori == 1)"},
	{"\t\tif (opts.focus != null)\n", "\t\tif (false)\n"},
	{"s.points._paths = s.points.paths(self, i, i0, i1, idxs);", ""},
	{"cacheStrokeFill(i, true);", ""},
	{"addClass(root, opts.class);", ""},
	{"s._stroke = s._fill = s._paths = s._focus = null;", "s._stroke = s._fill = s._paths = null;"},
	{"let shouldAlpha = series.some(s => s._focus) && ctxAlpha != focus.alpha;", "const shouldAlpha = false;"},
	{"strokePath instanceof Map", "false"},
	{"fillPath instanceof Map", "false"},
	{"const _timeSeriesVal  = numSeriesVal;", ""},
	{"const _timeAxisVals   = null;", ""},
}

// cut are parts of uPlot that nothing needs then: from one text up to another, which stays.
var cut = [][2]string{
	{"const days3 = days.map(slice3);", "function zeroPad2("},
	{"const _timeAxisStamps = [", "\t// the ensures that axis ticks"},
	{"\t\t_timeAxisStamps,\n\t\ttimeAxisSplits,", "\t\ttimeAxisSplits,\n"},
	{"\t{\n\t\tlegend.idxs = activeIdxs;", "\tconst mouseListeners = new Map();"},
	{"\tif (cursor.dataIdx == null) {", "\tconst setCursorEvent ="},
	{"\tcursor.idxs = activeIdxs;", "\tfunction initSeries("},
	{"\t\tif (mode == 1 || i > 0) {\n\t\t\tlet isTime", "\t\tif (cursorOnePt || i > 0) {"},
	{"\t\t\tlet _ptDia = ptDia(", "\t\t}\n\n\t\tif (showLegend) {\n\t\t\tlet rowCells"},
	{"\t\tif (showLegend) {\n\t\t\tlet rowCells", "\t\tfire(\"addSeries\", i);"},
	{"\tfunction addSeries(", "\tconst sidesWithAxes ="},
	{"\tfunction autoPadSide(", "\tconst padding = self.padding"},
	{"\tlet hooksQueue = [];", "\tfunction commit() {"},
	{"\tfunction batch(", "\tfunction _commit() {"},
	{"\tfunction toggleDOM(", "\tfunction _setScale("},
	{"\tfunction setSeries(", "\tfunction posToVal("},
	{"\tfunction closestIdxFromXpos(", "\tself.posToVal = posToVal;"},
	{"\tfunction syncLegend(", "\tfunction updateCursor("},
	{"\t\tclosestDist = inf;", "\t\t// TODO: extract"},
	{"\t\t\tfor (let i = 0; i < series.length; i++) {\n\t\t\t\tlet pt = cursorPts[i];", "\t\t}\n\t\telse {\n\t\t//\tlet pctY"},
	{"\t\tif (src == null) {\n\t\t\tif (_pub)", "\t\t_fire !== false && fire(\"setCursor\");"},
	{"\t\t\t\t\tfor (let i = 0; i < cursorPts.length; i++) {", "\t\t\t\t}\n\n\t\t\t\tif (select.show && !shouldSetSelect"},
	{"\t\telse {\n\t\t\tif (_l < 0 || _t < 0) {", "\t\tif (snap)"},
	{"\t// internal pub/sub\n", "\tif (showCursor) {\n\t\tonMouse(mousedown"},
	{"\t(opts.plugins || []).forEach(p => {\n\t\tfor", "\tfunction destroy() {"},
	{"\t(opts.plugins || []).forEach(p => {\n\t\tif (p.opts)", "\tconst ms = opts.ms"},
	{"\tif (opts.id != null)", "\tconst can = placeTag("},
	{"\t\tsync.unsub(self);", "\t\tcursorPlots.delete(self);"},
	{"\t\t\t// axis label\n", "\t\t\tif (_space == 0)\n\t\t\t\tcontinue;"},
	{"\t\t\t// ticks\n", "\t\t\t// grid\n"},
	{"\t\t\tif (border.show) {", "\t\t}\n\n\t\tfire(\"drawAxes\");"},
	{"\t\t\t\t\t\tif (angle) {", "\t\t\t\t\t\t\tctx.fillText(text, x, y + j"},
	{"\t\t\t\t\t{\n\t\t\t\t\t\tlet _gaps = s._paths", "\t\t\t\t\tif (ctxAlpha != _ctxAlpha)\n\t\t\t\t\t\tctx.globalAlpha = ctxAlpha = _ctxAlpha;\n\n\t\t\t\t\tfire"},
	{"\t\t\t\tif (scaleKey != xScaleKey || (mode == 2 && !isTime)) {", "\t\t\t\tsc.range = fnOrSelf("},
	{"\t\t\t\tsc.clamp = fnOrSelf(", "\t\t\t\t// caches for expensive"},
	{"\t\t// range dependent scales\n", "\t\tlet changed = {};"},
	{"\t// explicitly-set initial scales\n", "//\tself.tz ="},
	{"\t\tactiveIdxs.fill(null);", "\t\t// passing a non-null timestamp"},
	{"\tconst activeIdxs = [];", "\tconst legend     ="},
	{"\tObject.defineProperty(self, 'rect'", "\tfunction syncRect("},
	{"\tfocus: {\n", "\tleft: -10,\n"},
}

// constant are conditions that are always the same on the page: x is from left to right, and no scale is anything but linear.
var constant = []struct {
	what *regexp.Regexp
	is   func(parts []string) string
}{
	{regexp.MustCompile(`\b(?:\w+\.)?(?:distr|xScaleDistr) == (\d+)`), func(p []string) string { return strconv.FormatBool(p[1] == "1") }},
	{regexp.MustCompile(`\bmode == ([12])\b`), func(p []string) string { return strconv.FormatBool(p[1] == "1") }},
	{regexp.MustCompile(`\bs(?:caleX|x)\.ori == ([01])`), func(p []string) string { return strconv.FormatBool(p[1] == "0") }},
	{regexp.MustCompile(`scaleX\.dir \* \(true \? 1 : -1\)`), func([]string) string { return "1" }},
	{regexp.MustCompile(`\bb\.dir == 1`), func([]string) string { return "false" }}, // Bands are filled downwards.
	{regexp.MustCompile(`\b(?:(?:sc|scale)\.)?dir == (-?1)`), func(p []string) string { return strconv.FormatBool(p[1] == "1") }},
	{regexp.MustCompile(`\b\w+\.from (!=|==) null`), func(p []string) string { return strconv.FormatBool(p[1] == "==") }},
	{regexp.MustCompile(`\b(?:s\.)?pxAlign == 1`), func([]string) string { return "true" }},
	{regexp.MustCompile(`\bms == 1\b|\bshowCursor\b`), func([]string) string { return "true" }},
	{regexp.MustCompile(`\bshowLegend\b|\blegend\.live\b|\bcursor\._lock\b|\bcursorFocus\b|\bcursorOnePt\b`), func([]string) string { return "false" }},
	{regexp.MustCompile(`\bpubSync\([^()]*\);`), func([]string) string { return ";" }},
	{regexp.MustCompile(`\bfire\("(\w+)"[^()]*\);`), func(p []string) string {
		if p[1] == "draw" || p[1] == "setSelect" {
			return p[0]
		}
		return "0;"
	}},
	{regexp.MustCompile(`(?:let )?\bshouldSetLegend = ((?:true|false);)`), func(p []string) string { return p[1] }},
	{regexp.MustCompile(`pxRoundGen\([\w.]+\);`), func([]string) string { return "round;" }},
}

func trim(build api.PluginBuild) {
	build.OnLoad(api.OnLoadOptions{Filter: `uPlot\.esm\.js$`}, func(args api.OnLoadArgs) (api.OnLoadResult, error) {
		content, err := os.ReadFile(args.Path)
		if err != nil {
			return api.OnLoadResult{}, err
		}
		text, err := trimmed(string(content))
		return api.OnLoadResult{Contents: &text, Loader: api.LoaderJS}, err
	})
	build.OnLoad(api.OnLoadOptions{Filter: `uPlot\.min\.css$`}, func(args api.OnLoadArgs) (api.OnLoadResult, error) {
		content, err := os.ReadFile(args.Path)
		text := unusedRules.ReplaceAllString(string(content), "")
		return api.OnLoadResult{Contents: &text, Loader: api.LoaderCSS}, err
	})
}

// unusedRules are the rules of uPlot's style for its legend, its titles and points, and for its font, which is that of the page.
var unusedRules = regexp.MustCompile(`(?:[^{}]*\bu-(?:legend|title|inline|series)\b[^{}]*|\.u-cursor-pt |\.uplot )\{[^{}]*\}`)

// trimmed is uPlot without what the page does not use.
func trimmed(text string) (string, error) {
	for _, u := range unused {
		if strings.Count(text, u[0]) != 1 {
			return "", fmt.Errorf("uPlot has %q not once: it is another version than 1.6.32", u[0])
		}
		text = strings.Replace(text, u[0], u[1], 1)
	}
	for _, c := range cut {
		if strings.Count(text, c[0]) != 1 {
			return "", fmt.Errorf("uPlot has %q not once: it is another version than 1.6.32", c[0])
		}
		from := strings.Index(text, c[0])
		length := strings.Index(text[from+1:], c[1])
		if length < 0 {
			return "", fmt.Errorf("uPlot has no %q after %q: it is another version than 1.6.32", c[1], c[0])
		}
		text = text[:from] + text[from+1+length:]
	}
	for _, c := range constant {
		if !c.what.MatchString(text) {
			return "", fmt.Errorf("uPlot has no %s: it is another version than 1.6.32", c.what)
		}
		text = c.what.ReplaceAllStringFunc(text, func(found string) string { return c.is(c.what.FindStringSubmatch(found)) })
	}
	return text, nil
}
