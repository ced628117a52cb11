extension String {
    /// Without `web: `, `component/web: ` or `vercel/web: ` at its beginning: for a place where the name stands already.
    func withoutLeading(_ name: String) -> String {
        var rest = self[...]
        while let colon = rest.firstIndex(of: ":"), rest[colon...].hasPrefix(": ") {
            let subject = rest[..<colon]
            guard subject == name || (subject.hasSuffix("/" + name) && !subject.contains(" ")) else { break }
            rest = rest[colon...].dropFirst(2)
        }
        return String(rest)
    }
}
