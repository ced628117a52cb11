import Model
import SpecFields
import SpecLoading

/// A provider of these tests: the loader knows none.
struct ShipTarget: Target, SpecObject {
    static let provider = "ship"
    var project: String
    var fleet: String?
    var identity: String { "\(fleet ?? "-")/\(project)" }

    init(_ fields: inout Fields) {
        project = fields.required("project", "The project's name.")
        fleet = fields.optional("fleet", "The fleet that owns it.")
    }
}

struct BargeTarget: Target, SpecObject {
    static let provider = "barge"
    var slot: Int
    var identity: String { "\(slot)" }

    init(_ fields: inout Fields) {
        slot = fields.required("slot", .integer(1...99), "The slot.")
    }
}

let targets = [TargetKind(ShipTarget.self, "A ship."), TargetKind(BargeTarget.self, "A barge.")]
let loader = SpecLoader(targets: targets)

func load(_ text: String, name: String = "s.yaml", isExplicit: Bool = true) -> LoadResult {
    loader.load([SourceFile(name: name, bytes: Array(text.utf8), isExplicit: isExplicit)])
}

extension LoadResult {
    var lines: [String] { diagnostics.map(\.description) }
}

/// A system of which only the components matter; they begin in line 5.
func system(_ components: String) -> String {
    """
    apiVersion: belay.dev/v1alpha1
    kind: System
    metadata: {name: shop}
    spec: {components: {
    \(components)
    }}
    """
}

let wholeSystem = """
    apiVersion: belay.dev/v1alpha1
    kind: System
    metadata:
      name: shop
      namespace: prod
      labels: {team: a, empty: ""}
      uid: 0e5b1c
    spec:
      state:
        directory: ../state
      verify:
        - http: {url: https://shop.example.com/healthz}
      components:
        web:
          ship: {project: shop-web, fleet: acme}
          release: 1.10
          after: [api]
          verify:
            - http:
                url: https://shop.example.com/version
                status: 204
                body: ready
                json: {checks.0.ok: true, version: 1.10, name: on, error: null}
                within: 1h30m
                consecutive: 3
                every: 500ms
        api:
          barge: {slot: 7}
          release: {commit: 3f2c1abd}
          takeOwnership: true
          allowRebuild: true
          timeout: 2m
    """
