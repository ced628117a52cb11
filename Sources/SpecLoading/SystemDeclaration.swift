import Model
import SpecFields

/// The document of kind `System`: every field of it is declared here and in the declarations below it, once.
struct SystemDeclaration: Sendable {
    static let apiVersion = "belay.dev/v1alpha1"
    static let apiGroup = "belay.dev/"
    static let kind = "System"

    var metadata: MetadataDeclaration
    var spec: SystemSpecDeclaration

    static func form(targets: [TargetKind], flagTargets: [FlagTargetKind]) -> Form<SystemDeclaration> {
        let spec = SystemSpecDeclaration.form(targets: targets, flagTargets: flagTargets)
        return .object { SystemDeclaration(&$0, spec: spec) }
    }

    private static let apiVersionForm = Form.choice([apiVersion])
    private static let kindForm = Form.choice([kind])

    private init(_ fields: inout Fields, spec: Form<SystemSpecDeclaration>) {
        _ = fields.required("apiVersion", Self.apiVersionForm, "The version of this format.") as String
        _ = fields.required("kind", Self.kindForm, "The one kind there is.") as String
        metadata = fields.required("metadata", "The system's name, as in every Kubernetes object.")
        self.spec = fields.required("spec", spec, "What the system is and which release of each part runs.")
        fields.uninterpreted("status", "Written by a cluster; passed over in a file.")
    }
}

struct MetadataDeclaration: SpecObject, Sendable {
    var name: String
    var namespace: String

    private static let nameForm = Form.string(.subdomain)
    private static let namespaceForm = Form.string(.label)
    private static let textsForm = Form.map(of: .possiblyEmptyString)

    init(_ fields: inout Fields) {
        name = fields.required("name", Self.nameForm, "Unique among the systems of a namespace.")
        namespace = fields.optional("namespace", Self.namespaceForm, default: "default", "Keeps systems of the same name apart.")
        _ = fields.optional("labels", Self.textsForm, "As in Kubernetes.")
        _ = fields.optional("annotations", Self.textsForm, "As in Kubernetes.")
        for name in [
            "creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "finalizers", "generation", "managedFields",
            "ownerReferences",
            "resourceVersion", "selfLink", "uid",
        ] {
            fields.uninterpreted(name, "Written by a cluster; passed over in a file.")
        }
    }
}

struct SystemSpecDeclaration: Sendable {
    var components: SpecMap<ComponentDeclaration>
    var databases: SpecMap<DatabaseDeclaration>
    var flags: FlagsDeclaration?
    var approve: [String]
    var verify: [Check]
    var state: StateDeclaration?

    static func form(targets: [TargetKind], flagTargets: [FlagTargetKind]) -> Form<SystemSpecDeclaration> {
        let components = Form.map(keys: .name, of: ComponentDeclaration.form(targets: targets), minimum: 1)
        let flags = flagTargets.isEmpty ? nil : FlagsDeclaration.form(stores: flagTargets)
        return .object { SystemSpecDeclaration(&$0, components: components, flags: flags) }
    }

    private static let databasesForm = Form.map(keys: .name, of: DatabaseDeclaration.form, minimum: 1)
    private static let approveForm = Form.list(of: Form.string(.digest))
    private init(_ fields: inout Fields, components: Form<SpecMap<ComponentDeclaration>>, flags: Form<FlagsDeclaration>?) {
        self.components =
            fields.optional("components", components, "The parts of the system that run somewhere, by name.") ?? SpecMap()
        databases =
            fields.optional("databases", Self.databasesForm, "The system's databases and the schema that each is to have, by name.")
            ?? SpecMap()
        if let flags {
            self.flags = fields.optional("flags", flags, "The feature flags that go with the system.")
        } else {
            fields.announced(["flags"])
        }
        approve = fields.optional("approve", Self.approveForm, "Digests of what may be lost, as the plan prints them.") ?? []
        verify =
            fields.optional(
                "verify", CheckDeclaration.list, "The system's own smoke checks, run when all its components have arrived.") ?? []
        state = fields.optional("state", "Where Belay remembers what it did; the same place for everybody who reconciles this system.")
        fields.announced(["drills", "freezes", "holds", "mode", "notify", "providers", "suspend"])
    }
}

extension StringRule {
    fileprivate static let digest = StringRule(
        pattern: "^[0-9a-f]{12}$", hint: "a digest of twelve hexadecimal digits, as the plan prints it"
    ) {
        $0.utf8.count == 12 && $0.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}

struct StateDeclaration: SpecObject, Sendable {
    /// As written; nil only after a mistake and while a schema is made.
    var place: StatePlace?

    private static let clusterForm = Form<StatePlace>.object { fields in
        .cluster(
            namespace: fields.optional("namespace", .string(.label), "The namespace of the object. Default: the system's own."),
            context: fields.optional(
                "context", "The kubeconfig's context; without it the current one, or the cluster that Belay runs in."))
    }

    init(_ fields: inout Fields) {
        let directory = Alternative<StatePlace>("directory", "A directory, absolute or relative to this file, that outlives the process.") {
            (path: String) in .directory(path)
        }
        let database = Alternative<StatePlace>(
            "database",
            "One of the system's databases, by its name: whoever reaches it shares the state. Better not one that is rolled back."
        ) { (name: String) in .database(name) }
        let cluster = Alternative<StatePlace>(
            "cluster", Self.clusterForm, "An object of a Kubernetes cluster: whoever reaches the cluster shares the state."
        ) { $0 }
        place = fields.exactlyOne(of: "a place", [directory, database, cluster])
    }
}

extension StatePlace {
    /// The place with the path of its directory as `resolve` makes it.
    func resolved(_ resolve: (String) -> String) -> StatePlace {
        switch self {
        case .directory(let path): .directory(resolve(path))
        case .database, .cluster: self
        }
    }
}
