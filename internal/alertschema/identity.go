package alertschema

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// AlertID identifies an alert permanently: a hash of the rule's name and the encoded group key, the same in every process.
func AlertID(rule, groupKey string) uint64 {
	var b []byte
	for _, text := range [...]string{rule, groupKey} {
		b = binary.AppendUvarint(b, uint64(len(text)))
		b = append(b, text...)
	}
	sum := sha256.Sum256(b)
	return binary.BigEndian.Uint64(sum[:])
}

// IDText is the text of an alert ID, the value of KeyAlertID: 16 hex digits.
func IDText(id uint64) string { return fmt.Sprintf("%016x", id) }

// EpisodeID identifies one episode of an alert, the value of KeyEpisodeID: a hash of the alert's ID and of the event time at which it
// fired, in nanoseconds since the epoch, so that replicas which saw the same data agree.
func EpisodeID(alert uint64, started int64) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], alert)
	binary.BigEndian.PutUint64(b[8:], uint64(started))
	sum := sha256.Sum256(b[:])
	return hex.EncodeToString(sum[:8])
}

// RecordUID identifies the record of a transition, the value of KeyRecordUID. Occurrence is the number of the transition in the episode.
func RecordUID(episode string, occurrence int) string {
	return fmt.Sprintf("%s-%d", episode, occurrence)
}

// RepeatUID identifies a repetition, the n-th of its episode, after the transition of the given number.
func RepeatUID(episode string, occurrence, n int) string {
	return fmt.Sprintf("%s-r%d", RecordUID(episode, occurrence), n)
}

// ActionUID identifies the record of what a person did about an alert, the n-th of the episode, after the transition of the given number.
func ActionUID(episode string, occurrence, n int) string {
	return fmt.Sprintf("%s-p%d", RecordUID(episode, occurrence), n)
}

// BelatedUID identifies the record of what was held back when it happened. The number itself may be that of a later transition, which was
// not held back.
func BelatedUID(episode string, occurrence int) string { return RecordUID(episode, occurrence) + "-b" }

// TimeText is the text of a time, the value of KeyStartedAt and KeyEndedAt. The time is in nanoseconds since the epoch.
func TimeText(t int64) string { return time.Unix(0, t).UTC().Format(time.RFC3339Nano) }

// ParseTime is the inverse of TimeText; 0 when the text is no time.
func ParseTime(text string) int64 {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// entityKeys are the attributes of a namespace that identify; nil where isObjectName tells.
type entityKeys struct {
	namespace string
	keys      []string
}

// entities says which attributes of a resource identify what it describes, and which only describe it: of a namespace that stands here those
// listed identify, and no other. The source is the role "identifying" of the entities in the registry of the semantic conventions
// (github.com/open-telemetry/semantic-conventions, model/*/entities.yaml), and this where it differs:
//
//   - Names identify beside IDs where a thing keeps its name for as long as it lives, k8s.*.name, or where things of one ID are several, which is
//     so of the hosts of one image: host.name.
//   - Names identify where the ID is missing, for not every source sends it: see standIns.
//   - What is said of a place identifies: two things of one name in two places are two.
//   - os.type has no role there. It never changes.
var entities = []entityKeys{
	{"service.", []string{"service.name", "service.namespace", "service.instance.id"}}, // model/service
	{"host.", []string{"host.id", "host.name"}},                                        // model/host
	{"os.", []string{"os.type"}},                                                       // model/os
	{"process.", []string{ // model/process; the group is the psutil receiver's
		"process.pid", "process.creation.time", "process.executable.name", "process.group.name",
	}},
	{"container.", []string{"container.id", "container.name"}}, // model/container
	{"k8s.", nil},       // model/k8s: by isObjectName
	{"openshift.", nil}, // likewise
	{"cloud.", []string{ // model/cloud
		"cloud.provider", "cloud.account.id", "cloud.region", "cloud.availability_zone", "cloud.resource_id",
	}},
	{"faas.", []string{"faas.name", "faas.instance"}},                                                                                // model/faas
	{"device.", []string{"device.id"}},                                                                                               // model/device
	{"deployment.", []string{"deployment.environment.name", "deployment.environment"}},                                               // model/deployment: where it runs
	{"aws.", []string{"aws.ecs.container.arn", "aws.ecs.task.arn", "aws.ecs.task.id", "aws.ecs.cluster.arn", "aws.eks.cluster.arn"}}, // model/aws
	{"gcp.", []string{"gcp.gce.instance.name", "gcp.cloud_run.job.execution"}},                                                       // model/gcp
	{"heroku.", []string{"heroku.app.id"}},                                                                                           // model/heroku
	{"vcs.", []string{"vcs.repository.name", "vcs.repository.url.full"}},                                                             // model/vcs
	{"telemetry.", nil}, // who measures
	{"otel.", nil},
	{"webengine.", nil}, // what it is made of
	{"browser.", nil},
	{"user_agent.", nil},
	{"oci.", nil},
	{"artifact.", nil},
}

// standIns are names that identify where the resource lacks the attribute that does.
var standIns = map[string]string{"process.executable.name": "process.pid", "container.name": "container.id"}

// descriptions end the keys of attributes of namespaces that the conventions do not know and that describe all the same.
var descriptions = []string{"version", "description", "revision", "build", "commit", "checksum"}

// measured are the namespaces of metrics of which a service is who measures them, and not what they are about.
var measured = []string{"system.", "process.", "container.", "k8s.", "hw."}

// IdentifiesResource tells whether a resource attribute says which thing an alert on a metric is about, where the rule does not say
// otherwise. Such attributes are part of the alert's group. What describes the thing, and may change while it
// stays the same, does not. An attribute that the conventions do not know identifies, unless its name says that it is a version or the like.
//
// The instance of a service identifies together with the service's name: has tells whether the resource has another attribute. An instance of
// nothing is whoever measures, and has another ID after each start.
func IdentifiesResource(key, metric string, has func(key string) bool) bool {
	switch {
	case strings.HasPrefix(key, "process."):
		return strings.HasPrefix(metric, "process.") && Identifies(key, has)
	case key == "service.instance.id" && slices.ContainsFunc(measured, func(prefix string) bool { return strings.HasPrefix(metric, prefix) }):
		return false
	default:
		return Identifies(key, has)
	}
}

// Identifies tells it of a metric about anything.
func Identifies(key string, has func(key string) bool) bool {
	if key == "service.instance.id" && !has("service.name") {
		return false
	}
	if id := standIns[key]; id != "" && has(id) {
		return false
	}
	for i := range entities {
		if e := &entities[i]; strings.HasPrefix(key, e.namespace) {
			return slices.Contains(e.keys, key) || e.keys == nil && isObjectName(key)
		}
	}
	last := key[strings.LastIndexAny(key, "._-")+1:]
	return !slices.Contains(descriptions, last)
}

// KnowsResource tells whether the conventions say of a resource attribute whether it identifies. What they say holds whether the resource has entity
// references or not: a thing is the same when its sender begins to send them. Of other attributes references may say that they identify.
func KnowsResource(key string) bool {
	return slices.ContainsFunc(entities, func(e entityKeys) bool { return strings.HasPrefix(key, e.namespace) })
}

// LabelsResource is IdentifiesResource with the names by which people know what an ID identifies. It is for labels, which stay for an episode.
func LabelsResource(key, metric string, has func(key string) bool) bool {
	return IdentifiesResource(key, metric, func(other string) bool { return other != standIns[key] && has(other) })
}

// isObjectName tells whether an attribute is the name or the ID of an object in a cluster, such as k8s.pod.uid; labels have longer keys.
func isObjectName(key string) bool {
	object, name, found := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(key, "k8s."), "openshift."), ".")
	return found && object != "" && (name == "uid" || name == "name") && (strings.HasPrefix(key, "k8s.") || strings.HasPrefix(key, "openshift."))
}

// IdentifiedResource is IdentifiesResource as builds had it that took all attributes for identifying but for a few. It is for what they stored.
func IdentifiedResource(key, metric string) bool {
	switch {
	case strings.HasPrefix(key, "telemetry."), slices.Contains([]string{"service.instance.id", "host.ip", "host.mac", "os.description"}, key):
		return false
	case strings.HasPrefix(key, "process."):
		return strings.HasPrefix(metric, "process.")
	default:
		return true
	}
}
