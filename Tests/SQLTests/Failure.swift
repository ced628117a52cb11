import SQL
import Testing

/// What the work throws; records an issue if that is nothing, or not an error of this module.
func failure(at location: SourceLocation = #_sourceLocation, _ work: () async throws -> Void) async -> SQLError? {
    do {
        try await work()
        Issue.record("nothing was thrown", sourceLocation: location)
    } catch let error as SQLError {
        return error
    } catch {
        Issue.record(error, sourceLocation: location)
    }
    return nil
}
