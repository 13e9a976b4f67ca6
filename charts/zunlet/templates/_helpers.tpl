{{- define "zunlet.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Cluster-wide objects of releases in several namespaces must not meet. */}}
{{- define "zunlet.clusterName" -}}
{{- $full := include "zunlet.fullname" . -}}
{{- if eq $full .Release.Namespace -}}{{ $full }}{{- else -}}{{ printf "%s-%s" .Release.Namespace $full | trunc 63 | trimSuffix "-" }}{{- end -}}
{{- end -}}

{{- define "zunlet.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "zunlet.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "zunlet.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "zunlet.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "zunlet.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "zunlet.subject" -}}
- kind: ServiceAccount
  name: {{ include "zunlet.serviceAccount" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}

{{- define "zunlet.nodeName" -}}
{{- default (include "zunlet.fullname" .) .Values.options.nodeName -}}
{{- end -}}

{{- define "zunlet.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "zunlet.cloudSecret" -}}
{{- if .Values.openstack.existingSecret -}}
{{- .Values.openstack.existingSecret -}}
{{- else if .Values.openstack.cloudsYaml -}}
{{- printf "%s-openstack" (include "zunlet.fullname" .) -}}
{{- else if not (or .Values.extraEnvFrom .Values.extraEnv) -}}
{{- fail "zunlet does not know how to log in to OpenStack: set openstack.existingSecret to a Secret with clouds.yaml, or give --set-file openstack.cloudsYaml=clouds.yaml, or OS_* variables by extraEnvFrom" -}}
{{- end -}}
{{- end -}}

{{/* The newest contract that this version was made for, or the cluster's if that is older. */}}
{{- define "zunlet.kubernetesVersion" -}}
{{- $newest := "v1.35.0" -}}
{{- if .Values.options.kubernetesVersion -}}
{{- .Values.options.kubernetesVersion -}}
{{- else if semverCompare (printf "<%s-0" (trimPrefix "v" $newest)) .Capabilities.KubeVersion.Version -}}
{{- printf "v%s.%s.0" .Capabilities.KubeVersion.Major (regexFind "^[0-9]+" .Capabilities.KubeVersion.Minor) -}}
{{- else -}}
{{- $newest -}}
{{- end -}}
{{- end -}}

{{- define "zunlet.config" -}}
{{- $options := deepCopy .Values.options -}}
{{- $_ := set $options "nodeName" (include "zunlet.nodeName" .) -}}
{{- $_ := set $options "kubernetesVersion" (include "zunlet.kubernetesVersion" .) -}}
{{- if not $options.nodeAddresses -}}
{{- $_ := unset $options "nodeAddresses" -}}
{{- end -}}
{{- toYaml $options -}}
{{- end -}}

{{/* The port of the page of health and metrics; empty where there is none. */}}
{{- define "zunlet.healthPort" -}}
{{- regexFind "[0-9]+$" (default "" .Values.options.healthAddress) -}}
{{- end -}}

{{/* The taint of the node as a toleration. */}}
{{- define "zunlet.toleration" -}}
{{- with .Values.options.nodeTaint -}}
{{- $parts := splitList ":" . -}}
{{- $pair := splitList "=" (first $parts) -}}
- key: {{ first $pair }}
  operator: Equal
  value: {{ rest $pair | join "=" | quote }}
  effect: {{ last $parts }}
{{- end -}}
{{- end -}}

{{- define "zunlet.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "zunlet.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* What the node and the Pod of helm test share: the same options, credentials and variables. */}}
{{- define "zunlet.containerInputs" -}}
env:
  - name: POD_NAME
    valueFrom:
      fieldRef:
        fieldPath: metadata.name
  {{- if not .Values.options.nodeAddresses }}
  - name: ZUNLET_NODE_ADDRESSES
    valueFrom:
      fieldRef:
        fieldPath: status.podIPs
  {{- end }}
  {{- if include "zunlet.cloudSecret" . }}
  - name: OS_CLIENT_CONFIG_FILE
    value: /etc/openstack/clouds.yaml
  {{- end }}
  {{- with .Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .Values.extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
volumeMounts:
  - name: config
    mountPath: /etc/zunlet
    readOnly: true
  {{- if include "zunlet.cloudSecret" . }}
  - name: openstack
    mountPath: /etc/openstack
    readOnly: true
  {{- end }}
  {{- with .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "zunlet.volumes" -}}
- name: config
  configMap:
    name: {{ include "zunlet.fullname" . }}
{{- with include "zunlet.cloudSecret" . }}
- name: openstack
  secret:
    secretName: {{ . }}
    defaultMode: 0440
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}
