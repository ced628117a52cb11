import Testing

@testable import Sources

@Suite struct ChangeBurstTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var changes: [(at: Int64, change: ChangeBurst.Change)]
        var told: [Int64]
        var why: String
        var testDescription: String { why }
    }

    @Test(arguments: [
        Case(changes: [(10, .whole)], told: [10], why: "a file renamed into place is told at once"),
        Case(changes: [(10, .part)], told: [70], why: "one that is written may not be all: 60 ms of quiet"),
        Case(changes: [(10, .part), (50, .part)], told: [110], why: "each change puts it off"),
        Case(changes: (0..<20).map { (Int64($0 * 50), .part) }, told: [500, 1010], why: "for half a second at most"),
        Case(changes: [(10, .whole), (20, .whole), (30, .whole)], told: [10, 90], why: "of many renames the first, and the rest as one"),
        Case(changes: [(10, .part), (20, .whole)], told: [80], why: "a rename in the middle of other changes belongs to them"),
        Case(changes: [(10, .whole), (200, .whole)], told: [10, 200], why: "after a while a rename is alone again"),
    ])
    func changesAreToldWhenTheyAreWhole(_ one: Case) {
        var burst = ChangeBurst()
        var told: [Int64] = []
        for now in Int64(0)...1200 {
            for (_, change) in one.changes.filter({ $0.at == now }) { burst.add(change, at: now) }
            if burst.takes(at: now) { told.append(now) }
        }
        #expect(told == one.told, "\(one.why)")
    }
}
