/// Every metric that there is. The page of metrics is compared with this list.
extension Metric {
    private static let passBounds = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900]
    private static let phaseBounds: [Double] = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800]
    private static let requestBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
    private static let waitBounds = [0.001, 0.01, 0.1, 0.5, 1, 5, 10, 30, 60, 300]

    // MARK: The process

    public static let build = gauge("belay_build_info", "version", help: "Always 1; the version of the program is its label.")
    public static let leader = gauge(
        "belay_leader", help: "1 while this replica is the leader, 0 while another is; absent without leader election.")

    // MARK: The specs

    public static let sourceReads = counter(
        "belay_source_reads_total", "result",
        help: "How often the specs were read: ok, kept (the host did not answer, the last revision stays) or failed.")
    public static let sourceUp = gauge("belay_source_up", help: "1 if the specs could be read the last time, 0 if not.")
    public static let sourceValid = gauge(
        "belay_source_valid", help: "1 if the newest revision loads, 0 while nothing of it is applied because it does not.")
    public static let sourceRejected = gauge(
        "belay_source_rejected",
        help: "Of how many parts of the specs nothing is applied; in a cluster every System is one, else all of them are.")
    public static let sourceRead = gauge(
        "belay_source_last_read_timestamp_seconds", help: "When the specs were read successfully the last time, in Unix seconds.")
    public static let sourceRevision = gauge(
        "belay_source_revision_info", "kind", "revision", help: "Always 1; the newest revision that loads is its label.")
    public static let systems = gauge("belay_systems", help: "How many systems the specs name.")

    // MARK: Systems

    public static let passes = counter(
        "belay_system_passes_total", "system", "result",
        help: "How many passes over a system ended, by result: in-sync, blocked or failure.")
    public static let passSeconds = counter(
        "belay_system_pass_seconds_total", "system", help: "How much time passes over a system took together, in seconds.")
    public static let passDuration = histogram(
        "belay_reconcile_duration_seconds", "result", bounds: passBounds, help: "How long a pass over a system takes, in seconds.")
    public static let systemState = gauge(
        "belay_system_state", "system", "state",
        help: "1 for the state that the last pass found a system in, 0 for the others: in-sync, blocked, failure.")
    public static let lastPass = gauge(
        "belay_system_last_pass_timestamp_seconds", "system", help: "When the last pass over a system ended, in Unix seconds.")
    public static let lastSuccess = gauge(
        "belay_system_last_success_timestamp_seconds", "system",
        help: "When a pass last ended with the system in sync with its pins, in Unix seconds.")
    public static let drifts = counter(
        "belay_drifts_total", "system", help: "How often somebody else was found to have changed something that is pinned.")
    public static let driftSince = gauge(
        "belay_drift_since_timestamp_seconds", "system", "resource",
        help: "Since when a resource is known to have drifted, in Unix seconds; absent while it has not.")
    public static let transitionSince = gauge(
        "belay_transition_opened_timestamp_seconds", "system",
        help: "When the transition that is under way was opened, in Unix seconds; absent while there is none.")
    public static let transitionDuration = histogram(
        "belay_transition_duration_seconds", "direction", bounds: phaseBounds + [3600, 14400],
        help: "How long a way from one set of pins to another took, in seconds: back where something retreated, else forward.")
    public static let phaseDuration = histogram(
        "belay_phase_duration_seconds", "phase", bounds: phaseBounds, help: "How long a phase of a plan took in a pass, in seconds.")
    public static let steps = counter(
        "belay_steps_total", "phase", "outcome", help: "How many steps ended, by phase and outcome.")

    // MARK: The queue

    public static let queueDepth = gauge(
        "belay_queue_depth", "reason",
        help: "How many systems are due and wait for a free place: because of a change, a hint, a retry or a resync.")
    public static let queueLate = gauge(
        "belay_queue_longest_wait_seconds", help: "How long the system that is due longest has waited, in seconds.")
    public static let working = gauge("belay_queue_working", help: "How many systems are worked on now.")
    public static let queueWait = histogram(
        "belay_queue_wait_seconds", "reason", bounds: waitBounds, help: "How long a system that was due waited for its pass, in seconds.")

    // MARK: Requests

    public static let requests = counter(
        "belay_provider_requests_total", "provider", "method", "code",
        help: "How many requests were sent, by status of the answer, or by what went wrong where there was none.")
    public static let requestDuration = histogram(
        "belay_provider_request_duration_seconds", "provider", bounds: requestBounds, help: "How long an answer took, in seconds.")
    public static let rateRemaining = gauge(
        "belay_provider_rate_limit_remaining", "provider", "kind",
        help:
            "How many requests a provider allows until its window ends, the fewest told in it: reads or writes. Absent when it told nothing."
    )
    public static let rateLimit = gauge(
        "belay_provider_rate_limit", "provider", "kind", help: "How many requests a provider allows in a window.")

    // MARK: What is served

    public static let webhooks = counter(
        "belay_webhook_requests_total", "sender", "result",
        help: "How many webhooks came, by what became of them: accepted, ignored, refused, malformed, too-large, limited or not-configured."
    )
    public static let served = counter(
        "belay_http_requests_total", "path", "code", help: "How many requests were answered, by path (other for all unknown ones).")

    // MARK: By the convention of every Prometheus client

    public static let processCPU = counter("process_cpu_seconds_total", help: "User and system CPU time spent, in seconds.")
    public static let processResident = gauge("process_resident_memory_bytes", help: "Resident memory, in bytes.")
    public static let processVirtual = gauge("process_virtual_memory_bytes", help: "Virtual memory, in bytes.")
    public static let processFiles = gauge("process_open_fds", help: "How many file descriptors are open.")
    public static let processMostFiles = gauge("process_max_fds", help: "How many file descriptors may be open.")
    public static let processThreads = gauge("process_threads", help: "How many threads there are.")
    public static let processStart = gauge("process_start_time_seconds", help: "When the process started, in Unix seconds.")

    /// In the order in which they are written.
    public static let all: [Metric] = [
        build, leader, sourceReads, sourceUp, sourceValid, sourceRejected, sourceRead, sourceRevision, systems, passes, passSeconds,
        passDuration,
        systemState,
        lastPass, lastSuccess, drifts, driftSince, transitionSince, transitionDuration, phaseDuration, steps, queueDepth, queueLate,
        working,
        queueWait, requests, requestDuration, rateRemaining, rateLimit, webhooks, served, processCPU, processResident, processVirtual,
        processFiles, processMostFiles, processThreads, processStart,
    ]
}
