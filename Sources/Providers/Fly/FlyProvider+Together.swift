public import Model
public import ProviderKit

extension FlyProvider {
    /// The machines of an app are listed once for all of its process groups: Fly.io allows one such request a second.
    ///
    /// Those of an organization's other apps are not: its list may tell late what was written.
    public func observe(all questions: [ObservationQuestion<FlyTarget>]) async -> [Observation] {
        let apps = Dictionary(grouping: questions.indices) { questions[$0].target.app }.values.sorted { $0[0] < $1[0] }
        return await withTaskGroup(of: [(Int, Observation)].self) { group in
            for indices in apps {
                group.addTask {
                    let asked = indices.map { questions[$0] }
                    return await Array(zip(indices, ofOneApp(asked)))
                }
            }
            var observations: [Observation?] = .init(repeating: nil, count: questions.count)
            for await found in group {
                for (index, observation) in found { observations[index] = observation }
            }
            return observations.compactMap(\.self)
        }
    }

    private func ofOneApp(_ questions: [ObservationQuestion<FlyTarget>]) async -> [Observation] {
        let listed: Result<FlyAPI.Machines, APIError>?
        if questions.count > 1 {
            do throws(APIError) { listed = .success(try await api(questions[0].target).machines()) } catch { listed = .failure(error) }
        } else {
            listed = nil
        }
        return await questions.observations { await observe($0.target, $0.request, listed: listed) }
    }
}
