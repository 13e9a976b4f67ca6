#!/bin/bash
# Writes go.mod for another Kubernetes version: Kubernetes keeps its libraries in its own tree ("staging") and publishes each
# as v0.MINOR.PATCH, so each of them needs a replace line. Afterwards run: go mod tidy
set -euo pipefail
cd "$(dirname "$0")"
version=${1:?usage: set-version.sh 1.MINOR.PATCH}
library=v0.${version#1.}

go mod download "k8s.io/kubernetes@v$version"
upstream=$(go env GOMODCACHE)/k8s.io/kubernetes@v$version/go.mod
etcd=$(awk '$1 == "go.etcd.io/etcd/server/v3" { print $2 }' "$upstream")
{
  echo 'module zunlet.io/test/control-plane'
  echo
  awk '/^go / { print; exit }' "$upstream"
  echo
  awk '/^godebug / { print; exit }' "$upstream"
  echo
  echo 'require ('
  echo "	k8s.io/kubernetes v$version"
  echo "	k8s.io/component-base $library"
  echo "	go.etcd.io/etcd/server/v3 $etcd"
  echo ')'
  echo
  echo 'replace ('
  awk -v library="$library" '$2 == "=>" && $3 ~ /^\.\/staging\// { print "\t" $1 " => " $1 " " library }' "$upstream"
  echo ')'
} >go.mod
