/// Bytes that replace a range of a text; several make one way to change it.
struct Splice: Hashable {
    var range: Range<Int>
    var text: String

    init(_ range: Range<Int>, _ text: String) {
        self.range = range
        self.text = text
    }

    init(at place: Int, _ text: String) { self.init(place..<place, text) }
}

/// One way to make a change. The ranges of its parts do not overlap; parts of one place come in their order.
struct Splicing: Hashable {
    var parts: [Splice]

    init(_ parts: Splice...) { self.parts = parts }

    func applied(to bytes: [UInt8]) -> [UInt8] {
        var changed: [UInt8] = []
        changed.reserveCapacity(bytes.count + 64)
        var place = 0
        let sorted = parts.enumerated().sorted { ($0.element.range.lowerBound, $0.offset) < ($1.element.range.lowerBound, $1.offset) }
        for (_, part) in sorted {
            changed += bytes[place..<part.range.lowerBound]
            changed += Array(part.text.utf8)
            place = part.range.upperBound
        }
        return changed + bytes[place...]
    }
}
