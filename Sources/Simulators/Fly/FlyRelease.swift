import JSONValues

/// A row of the ledger of releases. Written by clients: it says what somebody meant to run.
struct FlyRelease: Sendable {
    enum Status: String, Sendable, CaseIterable { case pending, running, complete, failed, interrupted }

    var id: String
    var version: Int
    var status: Status
    /// Whatever a client wrote last that is no known status.
    var oddStatus: String?
    /// The reference that was deployed, by its tag.
    var image: String
    var user: String
    var description: String
    var strategy = "ROLLING"
    var definition: JSON = [:]
    var metadata: JSON = .null
    var createdAt: Int64

    var isFinished: Bool { oddStatus == nil && [.complete, .failed, .interrupted].contains(status) }
    var shownStatus: String { oddStatus ?? status.rawValue }

    /// As the REST interface shows it.
    var json: JSON {
        [
            "id": .string(id), "version": .integer(version), "stable": .bool(status == .complete), "in_progress": .bool(!isFinished),
            "status": .string(shownStatus), "strategy": .string(strategy), "user": .string(user),
            "created_at": .string(SimulatedTime.rfc3339(createdAt)), "image_ref": .string(image),
        ]
    }

    /// As GraphQL shows it.
    var node: JSON {
        [
            "id": .string(id), "version": .integer(version), "description": .string(description), "reason": "deploy",
            "status": .string(shownStatus), "imageRef": .string(image), "stable": .bool(status == .complete),
            "inProgress": .bool(!isFinished), "deploymentStrategy": .string(strategy), "configDefinition": definition,
            "metadata": metadata, "evaluationId": .null, "revertedTo": .null,
            "user": [
                "id": .string("user_\(user.prefix { $0 != "@" })"), "email": .string(user),
                "name": .string(String(user.prefix { $0 != "@" })),
            ],
            "createdAt": .string(SimulatedTime.rfc3339(createdAt)), "updatedAt": .string(SimulatedTime.rfc3339(createdAt)),
        ]
    }
}
