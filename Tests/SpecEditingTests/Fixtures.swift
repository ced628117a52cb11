import Model
import SpecEditing
import Testing

/// One edit of one text.
struct EditCase: CustomTestStringConvertible, Sendable {
    /// Why the case exists.
    var why: String
    var before: String
    var edit: SpecEdit
    var after: String
    var testDescription: String { why }

    /// - Parameters:
    ///   - spec: what stands below `spec:`, indented by two columns each.
    init(_ why: String, _ spec: String, _ edit: SpecEdit, _ after: String) {
        self.why = why
        before = head + spec
        self.edit = edit
        self.after = head + after
    }

    /// - Parameters:
    ///   - whole: the whole file.
    init(_ why: String, whole: String, _ edit: SpecEdit, _ after: String) {
        self.why = why
        before = whole
        self.edit = edit
        self.after = after
    }
}

let head = """
    # The shop.
    apiVersion: belay.dev/v1alpha1
    kind: System
    metadata: {name: shop}   # everybody's
    spec:

    """

let shop = SystemID(name: "shop")

extension SpecEdit {
    static func release(_ component: String = "web", to value: EditedValue) -> SpecEdit {
        .set("spec", "components", component, "release", to: value)
    }
    static func flag(_ name: String, to value: EditedValue) -> SpecEdit { .set("spec", "flags", "values", name, to: value) }
}

func edited(_ text: String, _ edits: SpecEdit..., system: SystemID = shop) throws(SpecEditError) -> String {
    String(decoding: try SpecText(Array(text.utf8)).applying(edits, to: system).bytes, as: UTF8.self)
}
