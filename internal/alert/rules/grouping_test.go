package rules

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
)

func TestGroupKey(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		rule   RuleConfig
		idKeys []string
		want   []string
	}{
		{"by default the open attributes and what identifies the resource", RuleConfig{Match: map[string]any{"state": "used"}}, nil, []string{
			"device=sda", "mode=rw", "host.name=db1", "service.instance.id=r4nd0m", "service.name=x",
		}},
		{"entity references take nothing away", RuleConfig{Match: map[string]any{"state": "used"}}, []string{"host.name"}, []string{
			"device=sda", "mode=rw", "host.name=db1", "service.instance.id=r4nd0m", "service.name=x",
		}},
		{
			"entity references add what the conventions do not know",
			RuleConfig{Match: map[string]any{"state": "used"}},
			[]string{"acme.build", "os.version", "process.pid", "telemetry.sdk.name"},
			[]string{"device=sda", "mode=rw", "acme.build=3", "host.name=db1", "service.instance.id=r4nd0m", "service.name=x"},
		},
		{"group_aggregate without group_by collapses the data point's attributes", RuleConfig{GroupAggregate: "sum"}, nil, []string{"host.name=db1", "service.instance.id=r4nd0m", "service.name=x"}},
		{"the rule may say what identifies the resource", RuleConfig{Identity: []string{"service.name", "os.version"}}, []string{"host.name"}, []string{
			"device=sda", "mode=rw", "state=used", "os.version=7", "service.name=x",
		}},
		{"nothing may identify it", RuleConfig{Identity: []string{}}, nil, []string{"device=sda", "mode=rw", "state=used"}},
		{
			"a process metric is distinguished by process attributes",
			RuleConfig{Metric: "process.cpu.time", GroupAggregate: "sum"},
			nil,
			[]string{"host.name=db1", "process.pid=7", "service.name=x"},
		},
		{
			"group_by is taken at its word",
			RuleConfig{GroupBy: []string{"device", "resource.process.pid", "scope.zone", "absent"}},
			nil,
			[]string{"device=sda", "process.pid=7", "zone=a"},
		},
		{
			"group_by may name the resource's identity as a whole",
			RuleConfig{GroupBy: []string{"resource", "device", "resource.host.name", "resource.process.pid"}},
			nil,
			[]string{"device=sda", "host.name=db1", "process.pid=7", "service.instance.id=r4nd0m", "service.name=x"},
		},
		{"an empty group_by is one alert", RuleConfig{GroupBy: []string{}}, nil, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.rule.Name, c.rule.Threshold, c.rule.Severity = "x", 1, "warning"
			if c.rule.Metric == "" {
				c.rule.Metric = "m"
			}
			cfg := DefaultConfig()
			cfg.Rules = []RuleConfig{c.rule}
			ruleSet, err := Compile(cfg)
			require.NoError(t, err)
			o := &attr.Origin{
				Resource: []attr.Attr{
					attr.String("host.name", "db1"),
					attr.Int("process.pid", 7),
					attr.String("service.instance.id", "r4nd0m"),
					attr.String("telemetry.sdk.name", "otel"),
					attr.String("service.name", "x"),
					attr.String("os.version", "7"),
					attr.String("service.version", "1.2"),
					attr.String("acme.build", "3"),
				},
				IdentifyingKeys: c.idKeys, Scope: []attr.Attr{attr.String("zone", "a")},
			}
			rule := ruleSet.Rules[0]
			key := rule.GroupKey(&rule.Value, o, []attr.Attr{attr.String("state", "used"), attr.String("device", "sda"), attr.String("mode", "rw")})
			attrs, err := attr.DecodeGroup(key)
			require.NoError(t, err)
			var got []string
			for _, a := range attrs {
				got = append(got, a.Key+"="+a.Value.AsString())
			}
			assert.Equal(t, c.want, got)
		})
	}
}
