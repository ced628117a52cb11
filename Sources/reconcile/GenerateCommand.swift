import ArgumentParser
import ControlLoop
import FoundationEssentials
import Planning
import SpecLoading

struct GenerateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Writes the CRD, the JSON Schema for editors, the reference page of the spec, roles, and files of the Helm chart.",
        discussion: "Without --output the names of the files are printed. With --check nothing is written; exit code 1 if a file differs.")

    @Option(name: .shortAndLong, help: ArgumentHelp("Where to write the files.", valueName: "directory"), completion: .directory)
    var output: String?

    @Flag(help: "Compare with the files that are there instead of writing them.")
    var check = false

    func run() async throws {
        let program = Program()
        let files = Program.generatedFiles
        var differs = false
        for file in files {
            guard let output else {
                program.output.result(file.path + "\n")
                continue
            }
            let path = output + "/" + file.path
            let present = FileManager.default.contents(atPath: path).map { [UInt8]($0) }
            if check {
                guard present != Array(file.text.utf8) else { continue }
                differs = true
                program.output.error("\(path): differs from what the declarations say; run reconcile generate --output \(output)")
            } else if present != Array(file.text.utf8) {
                let directory = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
                do {
                    try FileManager.default.createDirectory(atPath: String(directory), withIntermediateDirectories: true)
                    try Data(file.text.utf8).write(to: URL(filePath: path), options: .atomic)
                } catch {
                    program.output.error("\(path): cannot be written; check the directory's permissions and free space")
                    throw ExitCode(Verdict.failure)
                }
                program.output.result("wrote \(path)\n")
            }
        }
        throw ExitCode(differs ? Verdict.failure : .inSync)
    }
}
