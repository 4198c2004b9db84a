package psutilreceiver

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// otlpMessages are the messages of opentelemetry/proto/metrics/v1/metrics.proto and what they are made of, with the fields that hold text or lead
// to it: their number and type, a string or another message. All are repeated but strings, which makes no difference to a decoder.
var otlpMessages = map[string]map[int32]string{
	"MetricsData":          {1: "ResourceMetrics"},
	"ResourceMetrics":      {1: "Resource", 2: "ScopeMetrics", 3: "string"},
	"Resource":             {1: "KeyValue"},
	"ScopeMetrics":         {1: "Scope", 2: "Metric", 3: "string"},
	"Scope":                {1: "string", 2: "string", 3: "KeyValue"},
	"Metric":               {1: "string", 2: "string", 3: "string", 5: "Numbers", 7: "Numbers", 10: "Histograms"},
	"Numbers":              {1: "NumberDataPoint"},
	"NumberDataPoint":      {7: "KeyValue"},
	"Histograms":           {1: "ExponentialHistogram"},
	"ExponentialHistogram": {1: "KeyValue"},
	"KeyValue":             {1: "string", 2: "AnyValue"},
	"AnyValue":             {1: "string", 5: "Array", 6: "Map"},
	"Array":                {1: "AnyValue"},
	"Map":                  {1: "KeyValue"},
}

// strictOTLP decodes like a backend that holds text to proto3: the whole message is refused if any string is not UTF-8.
var strictOTLP = func() protoreflect.MessageDescriptor {
	file := &descriptorpb.FileDescriptorProto{Name: new("strict.proto"), Syntax: new("proto3"), Package: new("strict")}
	for name, fields := range otlpMessages {
		m := &descriptorpb.DescriptorProto{Name: new(name)}
		for number, kind := range fields {
			f := &descriptorpb.FieldDescriptorProto{
				Name: new(fmt.Sprintf("f%d", number)), Number: new(number),
				Type: descriptorpb.FieldDescriptorProto_TYPE_STRING.Enum(), Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
			}
			if kind != "string" {
				f.Type, f.TypeName = descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum(), new(".strict."+kind)
				f.Label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
			}
			m.Field = append(m.Field, f)
		}
		file.MessageType = append(file.MessageType, m)
	}
	built, err := protodesc.NewFile(file, nil)
	if err != nil {
		panic(err)
	}
	return built.Messages().ByName("MetricsData")
}()

// requireStrict fails unless a strict backend takes the batch.
func requireStrict(t *testing.T, md pmetric.Metrics) {
	t.Helper()
	wire, err := (&pmetric.ProtoMarshaler{}).MarshalMetrics(md)
	require.NoError(t, err)
	require.NoError(t, proto.Unmarshal(wire, dynamicpb.NewMessage(strictOTLP)))
}

func TestAStrictBackendRefusesTextThatIsNotUTF8(t *testing.T) {
	md := pmetric.NewMetrics()
	point := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty().SetEmptySum().DataPoints().AppendEmpty()
	point.Attributes().PutStr("name", "a")
	requireStrict(t, md)
	point.Attributes().PutEmptySlice("names").AppendEmpty().SetStr("\xff")
	wire, err := (&pmetric.ProtoMarshaler{}).MarshalMetrics(md)
	require.NoError(t, err)
	require.ErrorContains(t, proto.Unmarshal(wire, dynamicpb.NewMessage(strictOTLP)), "UTF-8")
}
