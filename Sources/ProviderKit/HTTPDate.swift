public import Model

extension Timestamp {
    /// Reads the form that HTTP servers send, `Mon, 23 Nov 2026 03:04:05 GMT` (RFC 9110, 5.6.7); nil for anything else.
    public init?(httpDate text: String) {
        let words = text.split(separator: " ")
        guard words.count == 6, words[5] == "GMT", let month = Self.months.firstIndex(of: String(words[2])), words[1].count == 2,
            words[3].count == 4
        else { return nil }
        let number = String(month + 1)
        self.init("\(words[3])-\(number.count == 1 ? "0" : "")\(number)-\(words[1])T\(words[4])Z")
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
}
