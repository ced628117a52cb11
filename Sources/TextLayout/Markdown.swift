extension String {
    /// The text on one line with everything escaped that Markdown or HTML would read: providers' text is not ours.
    public var markdownEscaped: String {
        var text = ""
        for character in printable {
            switch character {
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            case "&": text += "&amp;"
            case "\\", "`", "*", "_", "[", "]", "|", "#", "@", "~": text += "\\\(character)"
            default: text.append(character)
            }
        }
        return text
    }
}
