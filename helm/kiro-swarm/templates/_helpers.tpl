{{/* Name of everything: the release's, with the chart's when it is not in there. */}}
{{- define "kiro-swarm.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{/* What selects the operator's pod; never changes, for a Deployment's selector cannot. */}}
{{- define "kiro-swarm.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{/* Labels of every object. */}}
{{- define "kiro-swarm.labels" -}}
{{ include "kiro-swarm.selector" . }}
app.kubernetes.io/part-of: kiro-swarm
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "kiro-swarm.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "kiro-swarm.fullname" .) -}}
{{- end }}

{{- define "kiro-swarm.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* Version of MutatingAdmissionPolicy to use. Empty: the cluster has none, or no policy is wanted. */}}
{{- define "kiro-swarm.mutatingPolicyVersion" -}}
{{- if .Values.commands.policy -}}
{{- if .Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy" -}}
v1
{{- else if .Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1beta1/MutatingAdmissionPolicy" -}}
v1beta1
{{- end -}}
{{- end -}}
{{- end }}
