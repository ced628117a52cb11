{{/* The name of all objects. */}}
{{- define "belay.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What the pods are found by; it must never change for a release. */}}
{{- define "belay.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "belay.labels" -}}
{{ include "belay.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "belay.serviceAccountName" -}}
{{- if .Values.serviceAccount.name -}}
{{- .Values.serviceAccount.name -}}
{{- else if .Values.serviceAccount.create -}}
{{- include "belay.fullname" . -}}
{{- else -}}
default
{{- end -}}
{{- end -}}

{{- define "belay.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* Roles and bindings carry the namespace in their names where they are objects of the whole cluster. */}}
{{- define "belay.clusterName" -}}
{{- $name := include "belay.fullname" . -}}
{{- if eq .Release.Namespace "belay-system" -}}
{{- $name -}}
{{- else -}}
{{- printf "%s-%s" .Release.Namespace $name | trunc 200 -}}
{{- end -}}
{{- end -}}

{{- define "belay.subjects" -}}
- kind: ServiceAccount
  name: {{ include "belay.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}

{{/* A binding in a namespace, or in the whole cluster: dict "root" $ "role" "targets" "namespace" "prod". */}}
{{- define "belay.binding" -}}
{{- $name := printf "%s-%s" (include "belay.clusterName" .root) .role -}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ if .namespace }}RoleBinding{{ else }}ClusterRoleBinding{{ end }}
metadata:
  name: {{ $name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "belay.labels" .root | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {{ $name }}
subjects:
  {{- include "belay.subjects" .root | nindent 2 }}
{{- end -}}

{{/* The repositories as a JSON list; empty where System objects are the source. */}}
{{- define "belay.repositories" -}}
{{- if .Values.git.repositories -}}
{{- toJson .Values.git.repositories -}}
{{- else if .Values.git.url -}}
{{- toJson (list .Values.git.url) -}}
{{- end -}}
{{- end -}}

{{/* A duration such as 1m30s in seconds. */}}
{{- define "belay.seconds" -}}
{{- $sum := 0 -}}
{{- range regexFindAll "[0-9]+[smh]" . -1 -}}
{{- $unit := get (dict "s" 1 "m" 60 "h" 3600) (regexFind "[smh]" .) -}}
{{- $sum = add $sum (mul (regexFind "[0-9]+" . | int) $unit) -}}
{{- end -}}
{{- $sum -}}
{{- end -}}
