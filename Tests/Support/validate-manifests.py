#!/usr/bin/env python3
"""Validates every object of YAML files against the schemas of Kubernetes 1.25 to 1.37: validate-manifests.py FILE…

Prints a line for each that is not valid, then how many were checked. Kinds that no release of Kubernetes has are named and left out.
"""
import json
import sys

import kubernetes_validate
import yaml

VERSIONS = [f"1.{minor}" for minor in range(25, 38)]
checked, wrong, others, seen = 0, 0, set(), set()
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        documents = [document for document in yaml.safe_load_all(file) if document]
    for document in documents:
        group = document["apiVersion"].rpartition("/")[0]
        if "." in group and not group.endswith("k8s.io"):
            others.add(document["kind"])
            continue
        text = json.dumps(document, sort_keys=True)
        if text in seen:  # The same object in several files.
            continue
        seen.add(text)
        for version in VERSIONS:
            checked += 1
            try:
                kubernetes_validate.validate(document, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                wrong += 1
                print(f"{document['kind']} {document['metadata'].get('name')} in {version}: {error.message} at {list(error.path)}")
print(f"{checked} checked, {wrong} wrong; not of Kubernetes: {', '.join(sorted(others)) or 'none'}")
sys.exit(1 if wrong or not checked else 0)
