import Model
import SpecFields

/// The document of kind `System`: every field of it is declared here and in the declarations below it, once.
struct SystemDeclaration: Sendable {
    static let apiVersion = "belay.dev/v1alpha1"
    static let apiGroup = "belay.dev/"
    static let kind = "System"

    var metadata: MetadataDeclaration
    var spec: SystemSpecDeclaration

    static func form(targets: [TargetKind]) -> Form<SystemDeclaration> {
        let spec = SystemSpecDeclaration.form(targets: targets)
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
    var verify: [Check]
    var state: StateDeclaration?

    static func form(targets: [TargetKind]) -> Form<SystemSpecDeclaration> {
        let components = Form.map(keys: .name, of: ComponentDeclaration.form(targets: targets), minimum: 1)
        return .object { SystemSpecDeclaration(&$0, components: components) }
    }

    private init(_ fields: inout Fields, components: Form<SpecMap<ComponentDeclaration>>) {
        self.components = fields.required("components", components, "The parts of the system that run somewhere, by name.")
        verify =
            fields.optional(
                "verify", CheckDeclaration.list, "The system's own smoke checks, run when all its components have arrived.") ?? []
        state = fields.optional("state", "Where Belay remembers what it did; the same place for everybody who reconciles this system.")
        fields.announced(["approve", "databases", "drills", "flags", "freezes", "holds", "mode", "notify", "providers", "suspend"])
    }
}

struct StateDeclaration: SpecObject, Sendable {
    var directory: String

    init(_ fields: inout Fields) {
        directory = fields.required("directory", "A directory, absolute or relative to this file, that outlives the process.")
    }
}
