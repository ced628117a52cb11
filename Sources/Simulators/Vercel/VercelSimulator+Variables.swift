/// What people do with environment variables in the dashboard.
extension VercelSimulator {
    public enum VariableKind: String, Sendable, CaseIterable { case plain, encrypted, sensitive, system }

    /// Somebody gives a variable another value, or makes one for production and preview where the key has none for production.
    public func setVariable(_ project: String, _ key: String, _ value: String, kind: VariableKind = .encrypted) {
        change(project) { state, index, now in
            if let place = state.projects[index].variables.firstIndex(where: { $0.key == key && $0.targets.contains(.production) }) {
                state.projects[index].variables[place].value = value
                state.projects[index].variables[place].updatedAt = now
                state.projects[index].variables[place].updatedBy = VercelProject.person
                state.projects[index].note("env.edit", state.projects[index].variables[place], now, byHuman: true)
            } else {
                var new = VercelVariable(
                    id: state.makeID("env_", length: 24), key: key, value: value, kind: kind, targets: [.production, .preview],
                    createdAt: now, updatedAt: now, createdBy: VercelProject.person, updatedBy: VercelProject.person)
                state.coerce(&new, state.projects[index])
                state.projects[index].variables.append(new)
                state.projects[index].note("env.create", new, now, byHuman: true)
            }
        }
    }

    /// Somebody deletes every variable of that key.
    public func removeVariable(_ project: String, _ key: String) {
        change(project) { state, index, now in
            for old in state.projects[index].variables where old.key == key {
                state.projects[index].note("env.delete", old, now, byHuman: true)
            }
            state.projects[index].variables.removeAll { $0.key == key }
        }
    }

    /// The next creation of variables leaves these keys out; of several variables, the others are made.
    public func failNextVariables(_ project: String, _ keys: [String]) {
        change(project) { state, index, _ in state.projects[index].failingVariables = Set(keys) }
    }
}
