import HTTPCore
import JSONValues
import Simulators

/// A simulated vendor, and how a program is told where to find it.
public struct Vendor: Sendable {
    /// How a client learns address and token.
    public enum Access: Sendable, Hashable {
        /// Environment variables: each of the first ones holds the listener's address, the last one the token.
        case variables(urls: [String], token: String)
        /// A kubeconfig file, named by `KUBECONFIG`.
        case kubeconfig

        static func variables(url: String, token: String) -> Access { .variables(urls: [url], token: token) }
    }

    /// Its key in world files and fault rules; equal to its simulator's name.
    public let name: String
    /// As its makers write it.
    public let title: String
    public let access: Access
    let make: @Sendable (_ world: JSON, _ clock: any SimulatedClock, _ token: String) throws(WorldError) -> any Simulator

    /// Every vendor that the sandbox knows. A new one is a line here.
    public static let all: [Vendor] = [
        Vendor(
            name: "vercel", title: "Vercel", access: .variables(url: "VERCEL_API_URL", token: "VERCEL_TOKEN"), make: VercelSimulator.init),
        Vendor(
            name: "fly", title: "Fly.io",
            access: .variables(
                urls: ["FLY_FLAPS_BASE_URL", "FLY_UIEX_BASE_URL", "FLY_API_BASE_URL", "FLY_REGISTRY_URL"], token: "FLY_API_TOKEN"),
            make: FlySimulator.init),
        Vendor(
            name: "render", title: "Render", access: .variables(url: "RENDER_API_URL", token: "RENDER_API_KEY"), make: RenderSimulator.init),
        Vendor(name: "kubernetes", title: "Kubernetes", access: .kubeconfig, make: KubernetesSimulator.init),
    ]
}
