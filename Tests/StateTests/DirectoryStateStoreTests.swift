import FoundationEssentials
import Model
import Testing

@testable import State

struct DirectoryStateStoreTests {
    private let directory: TemporaryDirectory
    private let store: DirectoryStateStore

    init() throws {
        directory = try TemporaryDirectory()
        store = directory.store()
    }

    private func append(_ entries: [JournalEntry]) async throws {
        let session = try await store.lock(.make(), patience: .seconds(5), clock: ImpatientClock())
        for entry in entries { try await session.append(entry, at: .example) }
        await session.release()
    }

    private func stateError(_ body: () async throws(StateError) -> some Sendable) async throws -> StateError {
        do throws(StateError) {
            _ = try await body()
        } catch {
            return error
        }
        throw Missing()
    }

    private struct Missing: Error {}

    // MARK: What is written

    @Test func whatIsAppendedIsLoaded() async throws {
        try await append(Array(oneOfEach.prefix(4)))
        try await append(Array(oneOfEach.dropFirst(4)))
        #expect(try await store.history().map(\.entry) == oneOfEach)
        #expect(try await store.history().map(\.sequence) == Array(1...oneOfEach.count))
        var expected = RecordedState()
        for entry in oneOfEach { expected.apply(entry) }
        #expect(try await store.load() == expected)
    }

    @Test func loadingWhereNothingIsTouchesNothing() async throws {
        #expect(try await store.load() == RecordedState())
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
    }

    @Test func filesAreTheirOwnersAlone() async throws {
        try await append(oneOfEach)
        #expect(try mode(of: store.directory.path) == 0o700)
        #expect(try mode(of: store.directory.journal) == 0o600)
        #expect(try mode(of: store.directory.lock) == 0o600)
    }

    @Test func aLineIsTheSameEverywhere() async throws {
        try await append([.intent(.make())])
        let line = try #require(try lines(of: store.directory.journal).first)
        #expect(
            line == #"{"v":1,"seq":1,"prev":"\#(String(repeating: "0", count: 64))","time":"2026-11-23T00:00:00Z","kind":"intent","#
                + #""intent":{"id":"i1","providerTime":"2026-11-23T00:00:00Z","resolution":{"identity":{"kind":"image","value":"v2"},"#
                + #""label":"v2","lineage":[],"pin":"v2","revision":{"id":"\#(String(repeating: "a", count: 40))","isDirty":false,"#
                + #""kind":"commit"}},"resource":"component/web","route":{"cautions":[],"class":"instant","isIdempotent":false,"#
                + #""means":"rollback","token":"v2","verb":"undo"},"written":"2026-11-23T00:00:00Z"},"#
                + #""hash":"\#(String(line.suffix(66).prefix(64)))"}"#)
    }

    @Test func systemsHaveFoldersOfTheirOwn() async throws {
        let names = [
            SystemID(name: "shop"), SystemID(namespace: "default", name: "shop "), SystemID(namespace: "..", name: ".."),
            SystemID(namespace: "", name: ""), SystemID(namespace: "a.b", name: "c"), SystemID(namespace: "a", name: "b.c"),
            SystemID(name: "../../etc/passwd"), SystemID(name: "ä\n\0"), SystemID(name: String(repeating: "x", count: 300)),
            SystemID(name: String(repeating: "x", count: 301)),
        ]
        let folders = names.map(StateDirectory.folder(of:))
        #expect(Set(folders).count == names.count)
        #expect(folders[0] == "default.shop")
        #expect(folders[2] == "%2E%2E.%2E%2E")
        for folder in folders { #expect(!folder.contains("/") && folder.utf8.count <= 200 && folder != "." && folder != "..") }
    }

    struct Root: Sendable {
        var environment: [String: String]
        var given: String?
        var root: String
        var why: String
    }

    @Test(arguments: [
        Root(environment: ["XDG_STATE_HOME": "/x", "HOME": "/h"], root: "/x/belay", why: "the base directory specification comes first"),
        Root(environment: ["XDG_STATE_HOME": "x", "HOME": "/h"], root: "/h/.local/state/belay", why: "a relative one is to be ignored"),
        Root(environment: ["HOME": "/h"], root: "/h/.local/state/belay", why: "its default"),
        Root(environment: ["XDG_STATE_HOME": "/x"], given: "here", root: "here", why: "what is given wins, and may be relative"),
    ])
    func theRootIs(expected: Root) throws {
        #expect(try StateDirectory.root(given: expected.given, environment: expected.environment) == expected.root, "\(expected.why)")
    }

    @Test func withoutAHomeThereIsNoPlace() throws {
        let error = #expect(throws: StateError.self) { try StateDirectory.root(given: nil, environment: [:]) }
        #expect(error?.code == .noPlace)
        #expect(error?.next == "name a directory with --state DIR")
    }

    // MARK: What a crash leaves

    @Test func aTornLastLineIsCutOffAndNothingElseIsLost() async throws {
        let entries = Array(oneOfEach.prefix(5))  // The last one is short.
        try await append(entries)
        let whole = try bytes(of: store.directory.journal)
        let ends = whole.indices.filter { whole[$0] == UInt8(ascii: "\n") }.map { $0 + 1 }
        // Every byte of the last line, and every boundary before it.
        for length in Set((ends[ends.count - 2]...whole.count)).union([0] + ends).sorted() {
            try write(Array(whole.prefix(length)), to: store.directory.journal)
            let kept = ends.count { $0 <= length }
            #expect(try await store.history().map(\.entry) == Array(entries.prefix(kept)))
            #expect(try bytes(of: store.directory.journal).count == length, "reading changes nothing")
            try await append([.intent(.make("next"))])
            #expect(try await store.history().map(\.entry) == Array(entries.prefix(kept)) + [.intent(.make("next"))])
        }
    }

    @Test func zerosBehindTheLastLineAreATornLine() async throws {
        try await append(oneOfEach)
        let whole = try bytes(of: store.directory.journal)
        try write(whole + [UInt8](repeating: 0, count: 300) + [UInt8(ascii: "\n")], to: store.directory.journal)
        #expect(try await store.history().count == oneOfEach.count)
        try await append([.intent(.make("next"))])
        #expect(try await store.history().count == oneOfEach.count + 1)
    }

    // MARK: Damage

    enum Damage: String, CaseIterable {
        case changedByte, lineRemoved, linesSwapped, firstLineRemoved, lineRepeated, lastLineChanged, foreignLine

        func apply(to lines: inout [String]) {
            switch self {
            case .changedByte: lines[2] = lines[2].replacing("rollback", with: "rollbacK")
            case .lineRemoved: lines.remove(at: 2)
            case .linesSwapped: lines.swapAt(2, 3)
            case .firstLineRemoved: lines.remove(at: 0)
            case .lineRepeated: lines.insert(lines[2], at: 2)
            case .lastLineChanged: lines[lines.count - 1] = lines[lines.count - 1].replacing("t1", with: "t2")
            case .foreignLine: lines.insert("hello", at: 1)
            }
        }

        var line: Int {
            switch self {
            case .firstLineRemoved: 1
            case .foreignLine: 2
            case .changedByte, .lineRemoved, .linesSwapped: 3
            case .lineRepeated: 4
            case .lastLineChanged: oneOfEach.count
            }
        }
    }

    @Test(arguments: Damage.allCases)
    func damageIsRefusedAndNothingIsOverwritten(damage: Damage) async throws {
        try await append(oneOfEach)
        var text = try lines(of: store.directory.journal)
        damage.apply(to: &text)
        let damaged = Array((text.joined(separator: "\n") + "\n").utf8)
        try write(damaged, to: store.directory.journal)
        for error in [
            try await stateError { () throws(StateError) in try await store.load() },
            try await stateError { () throws(StateError) in _ = try await store.lock(.make(), patience: .zero, clock: ImpatientClock()) },
        ] {
            #expect(error.code == .damaged)
            #expect(error.line == damage.line)
            #expect(error.message.hasPrefix("\(store.directory.journal): line \(damage.line) is damaged: "))
            #expect(error.message.hasSuffix("; nothing was changed"))
            #expect(error.next == "restore the file from a backup, or move it away and begin anew from the world as it is with --adopt")
        }
        #expect(try bytes(of: store.directory.journal) == damaged)
    }

    @Test(arguments: [
        (#""v":1"#, #""v":2"#, "version 2"), (#""kind":"intent","intent""#, #""kind":"hold","hold""#, "an entry of kind hold"),
    ])
    func aJournalOfANewerBelayIsLeftAlone(old: String, new: String, what: String) async throws {
        try await append([.intent(.make())])
        let line = try #require(try lines(of: store.directory.journal).first)
        let changed = rehashed(line.replacing(old, with: new))
        try write(Array((changed + "\n").utf8), to: store.directory.journal)
        let error = try await stateError { () throws(StateError) in try await store.load() }
        #expect(error.code == .newerVersion)
        #expect(
            error.message
                == "\(store.directory.journal): line 1 was written by a newer Belay (\(what)); nothing was changed")
        #expect(error.next == "run the newer Belay, or one that reads it")
    }

    @Test func aNewerVersionMayChainItsLinesInAnotherWay() async throws {
        try await append([.intent(.make())])
        try write(Array(#"{"v":7,"chain":"x"}"#.utf8) + [UInt8(ascii: "\n")], to: store.directory.journal)
        #expect(try await stateError { () throws(StateError) in try await store.load() }.code == .newerVersion)
    }

    private func rehashed(_ line: String) -> String {
        let hashed = Array(line.utf8.dropLast(75))
        return String(decoding: hashed, as: UTF8.self) + #","hash":"\#(JournalRecord.hash(of: hashed))"}"#
    }

    // MARK: Places that do not take it

    @Test func aFileInTheWayIsNamed() async throws {
        try write([1], to: directory.path + "/file")
        let store = DirectoryStateStore(StateDirectory(root: directory.path + "/file", system: SystemID(name: "shop")))
        let error = try await stateError { () throws(StateError) in
            _ = try await store.lock(.make(), patience: .zero, clock: ImpatientClock())
        }
        #expect(error.code == .noPlace)
        #expect(error.message == "cannot make the directory \(directory.path)/file/default.shop: Not a directory")
    }

    @Test func whereNothingMayBeWrittenTheErrorSaysSo() async throws {
        // Nobody may make directories in /proc, not even root.
        let store = DirectoryStateStore(StateDirectory(root: "/proc/belay", system: SystemID(name: "shop")))
        let error = try await stateError { () throws(StateError) in
            _ = try await store.lock(.make(), patience: .zero, clock: ImpatientClock())
        }
        #expect([.notPermitted, .failed].contains(error.code))
        #expect(error.message.hasPrefix("cannot make the directory /proc/belay: "))
        #expect(error.next != nil)
    }

    @Test func whyADirectoryCannotBeMadeIsToldAndNotThatItIsMissing() async throws {
        // Not even root may make directories in /sys: as whom and how it is mounted decides which of the reasons it is.
        let store = DirectoryStateStore(StateDirectory(root: "/sys/belay", system: SystemID(name: "shop")))
        let error = try await stateError { () throws(StateError) in
            _ = try await store.lock(.make(), patience: .zero, clock: ImpatientClock())
        }
        let reasons = ["Operation not permitted", "Permission denied", "Read-only file system"]
        #expect(reasons.map { "cannot make the directory /sys/belay: \($0)" }.contains(error.message), "\(error.message)")
        #expect(error.code == .notPermitted)
    }
}
