import Model
import Sources
import SpecLoading

/// The names of the flags in the specs of a half-written command line, for completion by the shell.
enum FlagNames {
    @Sendable static func complete(_ words: [String], _ index: Int, _ prefix: String) async -> [String] {
        let paths = zip(words, words.dropFirst()).filter { ["-f", "--file"].contains($0.0) && $0.1 != "-" }.map(\.1)
        // Nobody could be told of a mistake here.
        guard !paths.isEmpty, let snapshot = try? await PathSource(paths).snapshot() else { return [] }
        return Program.loader.load(snapshot.files).systems.flatMap { $0.flags?.flags.map(\.name) ?? [] }
    }
}
