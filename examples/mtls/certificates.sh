#!/bin/sh
# Makes what examples/mtls reads: two authorities, a certificate for the gateway and one for each agent, into the folder $1.
#   examples/mtls/certificates.sh tls gateway.example web1.example web2.example
# The gateway gets $1/gateway.crt, gateway.key and agents-ca.crt; an agent gets its HOST/agent.crt, HOST/agent.key and gateways-ca.crt. Keep the keys of the
# authorities elsewhere: who has agents-ca.key can send as any host.
set -eu
[ $# -ge 3 ] || { echo "usage: $0 FOLDER GATEWAY HOST..." >&2; exit 2; }
folder=$1 gateway=$2
shift 2
umask 077
mkdir -p "$folder"
cd "$folder"

# authority makes one that signs for the others, if there is none.
authority() {
	[ -e "$1.key" ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj "/CN=$1" -keyout "$1.key" -out "$1.crt" 2>/dev/null
}

# certificate makes one for the name $2, signed by the authority $1, for the use $3, as $4.crt and $4.key.
certificate() {
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$2" -addext "subjectAltName=DNS:$2" -addext "extendedKeyUsage=$3" \
		-keyout "$4.key" -out "$4.csr" 2>/dev/null
	openssl x509 -req -in "$4.csr" -CA "$1.crt" -CAkey "$1.key" -CAcreateserial -days 825 -copy_extensions copy -out "$4.crt" 2>/dev/null
	rm "$4.csr"
}

authority gateways-ca
authority agents-ca
certificate gateways-ca "$gateway" serverAuth gateway
for host; do
	mkdir -p "$host"
	certificate agents-ca "$host" clientAuth "$host/agent"
done
