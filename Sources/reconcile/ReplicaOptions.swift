import ArgumentParser
import ControlLoop
import KubernetesAPI
import Leases
import Model
import State

/// How several processes of the loop share the work.
struct ReplicaOptions: ParsableArguments {
    @Flag(help: "Of several replicas one works, and another takes over when it ends: leader election by a Lease.")
    var leaderElect = false

    @Flag(help: "All replicas work, each on its share of the systems.")
    var shard = false

    @Option(
        help: ArgumentHelp(
            "The namespace of the Leases. Default: POD_NAMESPACE, or that of the pod's service account.", valueName: "namespace"))
    var leaseNamespace: String?

    @Option(help: ArgumentHelp("After how long without a sign a replica counts as dead. Default: 15s.", valueName: "duration"))
    var leaseDuration: TimeLimit?

    @Option(help: ArgumentHelp("After how long without a renewal a replica stops working. Default: 10s.", valueName: "duration"))
    var renewDeadline: TimeLimit?

    @Option(help: ArgumentHelp("The pause between two renewals. Default: 2s.", valueName: "duration"))
    var retryPeriod: TimeLimit?

    /// True if there may be several.
    var isGiven: Bool { leaderElect || shard }

    /// The option that was given and means nothing without the loop; nil when none was.
    var given: String? { leaderElect ? "--leader-elect" : shard ? "--shard" : lease }

    private var lease: String? {
        leaseNamespace != nil
            ? "--lease-namespace"
            : leaseDuration != nil
                ? "--lease-duration" : renewDeadline != nil ? "--renew-deadline" : retryPeriod != nil ? "--retry-period" : nil
    }

    var timing: LeaseTiming {
        let usual = LeaseTiming()
        return LeaseTiming(
            lease: leaseDuration?.duration ?? usual.lease, renewal: renewDeadline?.duration ?? usual.renewal,
            retry: retryPeriod?.duration ?? usual.retry)
    }

    func validate() throws {
        if leaderElect, shard { throw ValidationError("With --leader-elect one replica works, with --shard all do: say one of them.") }
        if !isGiven, let lease { throw ValidationError("\(lease) belongs to --leader-elect or --shard.") }
        if let mistake = timing.mistake {
            throw ValidationError("--lease-duration, --renew-deadline and --retry-period do not go together: \(mistake).")
        }
    }
}

/// One of several processes of the loop.
enum Replica: Sendable {
    /// It works while it leads.
    case candidate(LeaderElector)
    /// It works on its share.
    case member(Replicas)

    /// Nil for a process that works alone.
    static func make(_ options: ReplicaOptions, in program: Program) throws(Problem) -> Replica? {
        guard options.isGiven else { return nil }
        let variables = program.variables
        let now = program.reconciler.now
        let connection: ClusterConnection
        do throws(KubernetesError) {
            connection = try ClusterConnection.load(
                context: nil, environment: ClusterEnvironment(variables: variables, now: now))
        } catch {
            throw Problem("LeaseUnusable", "the Leases are in a cluster that cannot be found: \(error.message)", next: error.next)
        }
        func variable(_ name: String) -> String? { variables[name].flatMap { $0.isEmpty ? nil : $0 } }
        let own = connection.context == "in-cluster" ? connection.namespace : nil
        guard let namespace = options.leaseNamespace ?? variable("POD_NAMESPACE") ?? own else {
            throw Problem(
                "NoLeaseNamespace", "this is not a pod, and no namespace is named for the Leases",
                next: "say the same one for every replica: --lease-namespace NAMESPACE")
        }
        let client = KubernetesClient(connection, transport: program.reconciler.transport, userAgent: program.userAgent)
        let process = LockHolder.current(command: "", environment: variables, since: now())
        let clock = program.reconciler.clock
        if options.leaderElect {
            // Of this process alone: one that starts again in the same pod must not believe that it led all the time.
            let identity = "\(variable("POD_NAME") ?? process.host)_\(String(UInt32.random(in: 0x1000_0000 ... .max), radix: 16))"
            return .candidate(
                LeaderElector(client, namespace: namespace, identity: identity, timing: options.timing, clock: clock, now: now))
        }
        // The same after a restart in its pod, so that nothing moves then.
        let name = variable("POD_NAME") ?? "\(process.host)-\(process.pid)"
        return .member(
            Replicas(client, namespace: namespace, identity: name.asLeaseName, timing: options.timing, clock: clock, now: now))
    }

    /// Takes part until the task is cancelled.
    ///
    /// - Parameter leading: called with whether this process leads, where one does.
    func run(_ duty: Duty, _ lines: LoopLines, leading: @escaping @Sendable (Bool) -> Void) async {
        switch self {
        case .candidate(let elector):
            await elector.run { standing in
                duty.set { _ in standing.isLeader }
                leading(standing.isLeader)
                lines.write(standing, of: elector.identity)
            }
        case .member(let replicas):
            let identity = replicas.identity
            await replicas.run { standing in
                duty.set { standing.gives($0, to: identity) }
                lines.write(standing, of: identity)
            }
        }
    }
}

extension String {
    /// With what the name of an object may have, at most 200 characters.
    fileprivate var asLeaseName: String {
        let name = lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") ? $0 : "-" }.prefix(200)
        return String(name).trimmingHyphens
    }

    private var trimmingHyphens: String {
        var text = Substring(self)
        while text.last == "-" { text.removeLast() }
        while text.first == "-" { text.removeFirst() }
        return text.isEmpty ? "replica" : String(text)
    }
}
