import Model
import SpecFields
import YAMLReading

extension VersionWindow {
    /// `>=20240601_add_plans <=20240611_add_index`, either bound alone, or one migration for both.
    static let form = Form<VersionWindow>(
        schema: { .string(pattern: nil, hint: hint) }, placeholder: { VersionWindow() },
        read: { node, reading in
            guard let text = reading.text(of: node, expecting: hint) else { return nil }
            var window = VersionWindow()
            for word in text.split(separator: " ") {
                if word.hasPrefix(">="), window.lowest == nil, word.count > 2 {
                    window.lowest = String(word.dropFirst(2))
                } else if word.hasPrefix("<="), window.highest == nil, word.count > 2 {
                    window.highest = String(word.dropFirst(2))
                } else if !word.hasPrefix(">"), !word.hasPrefix("<"), window == VersionWindow() {
                    window = VersionWindow(lowest: String(word), highest: String(word))
                } else {
                    reading.report("expected \(hint)", at: node.mark)
                    return nil
                }
            }
            return window
        })

    private static let hint = "a window such as \">=20240601_a <=20240611_b\", or one of its bounds"
}
