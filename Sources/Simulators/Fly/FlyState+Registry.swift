import HTTPCore
import JSONValues

/// The container registry, as far as manifests go.
extension FlyState {
    private static let manifestType = "application/vnd.oci.image.manifest.v1+json"
    private static let indexType = "application/vnd.oci.image.index.v1+json"

    /// By tag, by the digest of an index, or by the digest of a manifest.
    func manifest(_ call: FlyCall) throws(FlyFailure) -> FlyAnswer {
        let asked = call["reference"]
        let separator = asked.hasPrefix("sha256:") ? "@" : ":"
        guard let reference = FlyImageReference("\(FlyImageReference.registry)/\(call["repository"])\(separator)\(asked)"),
            let image = apps.first(where: { $0.name == reference.repository && $0.access == .own })?.image(reference), !image.isPruned
        else {
            let detail: JSON = ["name": .string(call["repository"]), "reference": .string(asked)]
            let error: JSON = ["code": "MANIFEST_UNKNOWN", "message": "manifest unknown", "detail": detail]
            throw FlyFailure(FlyAnswer(404, .json(["errors": [error]])))
        }
        var answer: FlyAnswer
        if let index = image.index, reference.digest != image.digest {
            answer = FlyAnswer(200, .document(Self.index(image), type: Self.indexType))
            answer.headers["Docker-Content-Digest"] = index
        } else {
            answer = FlyAnswer(200, .document(Self.manifest(image), type: Self.manifestType))
            answer.headers["Docker-Content-Digest"] = image.digest
        }
        return answer
    }

    private static func index(_ image: FlyImage) -> JSON {
        [
            "schemaVersion": 2, "mediaType": .string(indexType),
            "manifests": [
                [
                    "mediaType": .string(manifestType), "digest": .string(image.digest), "size": 1234,
                    "platform": ["architecture": "amd64", "os": "linux"],
                ],
                [
                    "mediaType": .string(manifestType), "digest": .string(FlyIdentifiers.digest("attestation \(image.digest)")),
                    "size": 566,
                    "platform": ["architecture": "unknown", "os": "unknown"],
                ],
            ],
        ]
    }

    private static func manifest(_ image: FlyImage) -> JSON {
        [
            "schemaVersion": 2, "mediaType": .string(manifestType),
            "config": [
                "mediaType": "application/vnd.oci.image.config.v1+json", "size": 2345,
                "digest": .string(FlyIdentifiers.digest("config \(image.digest)")),
            ],
            "layers": [],
        ]
    }
}
