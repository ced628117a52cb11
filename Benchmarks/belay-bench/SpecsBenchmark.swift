import FoundationEssentials
import KubernetesProvider
import ProviderKit
import SpecFields
import SpecLoading
import VercelProvider

/// Row 6: spec files, in memory already, to validated systems with every position kept.
struct SpecsBenchmark {
    private let files: [SourceFile]
    private let loader = SpecLoader(targets: [VercelProvider.registration.targetKind, KubernetesProvider.registration.targetKind])

    init(directory: String) throws(BenchError) {
        do {
            files = try FileManager.default.contentsOfDirectory(atPath: directory).sorted().map { name in
                let path = directory + "/" + name
                return SourceFile(name: path, bytes: Array(try Data(contentsOf: URL(filePath: path))))
            }
        } catch {
            throw BenchError(1, "\(directory): the spec files cannot be read: \(error)")
        }
    }

    func measured() throws(BenchError) {
        let result = measuredSpecs(loader, files)
        if let mistake = result.diagnostics.first { throw BenchError(1, "\(mistake)") }
        guard result.systems.count == files.count else {
            throw BenchError(1, "\(result.systems.count) systems in \(files.count) files; expected one in each")
        }
    }
}

/// A function of its own, so that callgrind can count what happens inside it and nothing else.
@inline(never)
func measuredSpecs(_ loader: SpecLoader, _ files: [SourceFile]) -> LoadResult {
    loader.load(files)
}
