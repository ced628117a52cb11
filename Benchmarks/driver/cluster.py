"""The part of a Kubernetes API server that a pass over settled Deployments asks for, written as nginx answers it."""
import json
import os

PAGE = 500
IMAGE = "registry.example.com/api:v2"
HASH = "6d4cf56db6"


def template(number, labels):
    probe = {"httpGet": {"path": "/healthz", "port": "http", "scheme": "HTTP"}, "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
    container = {
        "name": "api", "image": IMAGE, "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
        "env": [{"name": "LOG_LEVEL", "value": "info"}, {"name": "PORT", "value": "8080"}],
        "resources": {"limits": {"memory": "256Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}}, "livenessProbe": probe,
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File", "imagePullPolicy": "IfNotPresent",
    }
    return {
        "metadata": {"creationTimestamp": None, "labels": {"app": f"api-{number}", **labels}},
        "spec": {
            "containers": [container], "restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst",
            "securityContext": {}, "schedulerName": "default-scheduler",
        },
    }


def fields(value):
    """A value as FieldsV1 names what is owned of it."""
    owned = {}
    for name, part in value.items():
        if isinstance(part, dict):
            owned[f"f:{name}"] = fields(part) if part else {}
        elif isinstance(part, list) and part and "name" in part[0]:
            owned[f"f:{name}"] = {f'k:{{"name":"{item["name"]}"}}': {".": {}, **fields(item)} for item in part}
        elif isinstance(part, list) and part and "type" in part[0]:
            owned[f"f:{name}"] = {".": {}, **{f'k:{{"type":"{item["type"]}"}}': {".": {}, **fields(item)} for item in part}}
        else:
            owned[f"f:{name}"] = {}
    return owned


def deployment(number, namespace):
    """One as a server lists it, settled for months: about 4 KB, half of it the book of who owns what."""
    name = f"api-{number}"
    spec = {
        "replicas": 2, "selector": {"matchLabels": {"app": name}}, "template": template(number, {}),
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}},
        "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
    }
    times = {"lastUpdateTime": "2026-01-01T00:00:21Z", "lastTransitionTime": "2026-01-01T00:00:01Z"}
    conditions = [
        {"type": "Available", "status": "True", **times, "reason": "MinimumReplicasAvailable", "message": "Deployment has minimum availability."},
        {
            "type": "Progressing", "status": "True", **times, "reason": "NewReplicaSetAvailable",
            "message": f'ReplicaSet "{name}-{HASH}" has successfully progressed.',
        },
    ]
    status = {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2, "conditions": conditions}
    labels = {"app": name, "app.kubernetes.io/managed-by": "Helm"}
    annotations = {"deployment.kubernetes.io/revision": "1", "meta.helm.sh/release-name": name, "meta.helm.sh/release-namespace": namespace}
    entry = {"operation": "Update", "apiVersion": "apps/v1", "time": "2026-01-01T00:00:21Z", "fieldsType": "FieldsV1"}
    owners = [
        {"manager": "helm", **entry, "fieldsV1": fields({"metadata": {"annotations": annotations, "labels": labels}, "spec": spec})},
        {"manager": "kube-controller-manager", **entry, "fieldsV1": fields({"status": status}), "subresource": "status"},
    ]
    metadata = {
        "name": name, "namespace": namespace, "uid": f"uid-{number}", "resourceVersion": str(1000 + number), "generation": 1,
        "creationTimestamp": "2026-01-01T00:00:00Z", "labels": labels, "annotations": annotations, "managedFields": owners,
    }
    return {"metadata": metadata, "spec": spec, "status": status}


def write_lists(folder, count):
    """The pages of a namespace `fleet-COUNT` with as many Deployments, named as ``locations`` finds them."""
    namespace = f"fleet-{count}"
    os.makedirs(f"{folder}/lists/{namespace}")
    items = sorted((deployment(number, namespace) for number in range(count)), key=lambda item: item["metadata"]["name"])
    for start in range(0, count, PAGE):
        metadata = {"resourceVersion": "900000"}
        if start + PAGE < count:
            metadata |= {"continue": f"p{start + PAGE}", "remainingItemCount": count - start - PAGE}
        page = {"kind": "DeploymentList", "apiVersion": "apps/v1", "metadata": metadata, "items": items[start:start + PAGE]}
        with open(f"{folder}/lists/{namespace}/{PAGE}-{f'p{start}' if start else ''}.json", "w") as file:
            json.dump(page, file, separators=(",", ":"))


def mappings():
    """For nginx: the number of the Deployment that a selection is of."""
    return "map $arg_labelSelector $selected { default none; ~api-(?<found>[0-9]+)$ $found; }"


def locations(folder):
    """For nginx: lists of Deployments from files, and for first contacts what belongs to one, made up."""
    labels = {"pod-template-hash": HASH}
    revision = {
        "metadata": {
            "name": f"api-$selected-{HASH}", "uid": "set-$selected", "labels": labels, "creationTimestamp": "2026-01-01T00:00:00Z",
            "annotations": {"deployment.kubernetes.io/revision": "1"}, "ownerReferences": [{"uid": "uid-$selected", "controller": True}],
        },
        "spec": {"replicas": 2, "template": template("$selected", labels)}, "status": {"replicas": 2},
    }
    pods = [
        {
            "metadata": {
                "name": f"api-$selected-{HASH}-{name}", "labels": labels, "ownerReferences": [{"uid": "set-$selected", "controller": True}],
            },
            "spec": {"containers": [{"name": "api", "image": IMAGE}]}, "status": {"phase": "Running"},
        } for name in ("one", "two")
    ]

    def answer(kind, items):
        text = json.dumps({"kind": kind, "metadata": {"resourceVersion": "900000"}, "items": items}, separators=(",", ":"))
        return "return 200 '" + text + "';"

    return f"""
            location ~ ^/apis/apps/v1/namespaces/(?<space>fleet-[0-9]+)/deployments$ {{
                root {folder}/lists; try_files /$space/$arg_limit-$arg_continue.json =404;
            }}
            location ~ ^/apis/apps/v1/namespaces/fleet-[0-9]+/replicasets$ {{ {answer("ReplicaSetList", [revision])} }}
            location ~ ^/api/v1/namespaces/fleet-[0-9]+/pods$ {{ {answer("PodList", pods)} }}"""


def kubeconfig(here, base):
    """Of the cluster at `base`."""
    path = f"{here.folder}/kubeconfig-{base.rpartition(':')[2]}"
    with open(path, "w") as file:
        json.dump({
            "clusters": [{"name": "bench", "cluster": {"server": base}}], "users": [{"name": "bench", "user": {"token": "bench-token"}}],
            "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench"}}], "current-context": "bench",
        }, file)
    return path
