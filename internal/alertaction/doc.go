// Package alertaction has what people do about alerts: silences that end, and acknowledgements. The alert components of this process offer to take them,
// and whoever serves people, such as the page of hostpageexporter, hands them over. Nothing else passes between the two.
package alertaction
