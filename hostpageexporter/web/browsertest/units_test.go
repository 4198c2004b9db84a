package browsertest

import (
	"math"
	"strconv"
)

// means are the texts that a share may have which is made of others: the page adds in another order, and numbers of seven digits.
func means(v float64) []string {
	const digit = 2e-7
	return []string{percent(max(0, v-digit-v*1e-6)), percent(v), percent(v + digit + v*1e-6)}
}

// bytesText and rateText write bytes, and bytes a second, as the page does.
func bytesText(v float64) string { return scaled(v, 1024, "Ki") }

func rateText(v float64) string {
	v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', 7, 64), 64)
	return scaled(v, 1000, "k") + "/s"
}

func scaled(v, base float64, first string) string {
	prefixes := []string{"", first, "M", "G", "T", "P"}
	if base == 1024 {
		prefixes = []string{"", "Ki", "Mi", "Gi", "Ti", "Pi"}
	}
	i := 0
	for ; math.Abs(v) >= base*0.9995 && i < len(prefixes)-1; i++ {
		v /= base
	}
	return digits(v) + " " + prefixes[i] + "B"
}

// digits are three significant ones.
func digits(v float64) string {
	fixed := func(places int) string {
		unit := math.Pow10(places)
		return strconv.FormatFloat(math.Floor(v*unit+0.5)/unit, 'f', -1, 64)
	}
	switch {
	case v >= 100:
		return fixed(0)
	case v >= 10:
		return fixed(1)
	case v >= 0.995:
		return fixed(2)
	default:
		short, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 2, 64), 64)
		return strconv.FormatFloat(short, 'f', -1, 64)
	}
}
