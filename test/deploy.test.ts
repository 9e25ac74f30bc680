import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";

const root = fileURLToPath(new URL("..", import.meta.url));
const deploy = join(root, "deploy");
const models = join(root, "test/package/node_modules/kubernetes-models");
const isInstalled = existsSync(models);

if (!isInstalled) {
  const install = "npm ci --prefix test/package --ignore-scripts";
  if (process.env["CI"] !== undefined) throw new Error(`the schemas of Kubernetes are not installed: run ${install}`);
  console.warn(`skipped: schemas of Kubernetes; to run them: ${install}`);
}

/** The renderer inside kubectl knows `labels` from 1.22 on; the one that Debian 12 packages is older. */
function canRender(): boolean {
  const { stdout } = spawnSync("kubectl", ["version", "--client", "--output", "json"], { encoding: "utf8" });
  const [, minor] = /"minor":\s*"(\d+)/.exec(stdout ?? "") ?? [];
  return Number(minor) >= 22;
}
const hasKubectl = canRender();
if (!hasKubectl) console.warn("skipped: the base as kubectl renders it; to run it: install kubectl 1.22 or newer");

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: any;
}

const read = (name: string) => readFileSync(join(deploy, name), "utf8");
const documentsOf = (name: string) => parseAllDocuments(read(name)).map((document) => document.toJS() as Manifest);
const kustomization = documentsOf("kustomize/kustomization.yaml")[0] as unknown as {
  resources: readonly string[];
  configMapGenerator: readonly { readonly name: string; readonly files: readonly string[] }[];
  images: readonly { readonly name: string; readonly newName?: string; readonly newTag?: string }[];
};
const manifests = kustomization.resources.flatMap((name) => documentsOf(`kustomize/${name}`));
const pod = manifests.find(({ kind }) => kind === "StatefulSet")?.spec.template.spec;

/** Validates a manifest against the schema of its kind, as the API server does with `--validate=strict`. */
async function schemaFault(manifest: Manifest): Promise<string | null> {
  const path = join(models, manifest.apiVersion, `${manifest.kind}.js`);
  const { [manifest.kind]: Kind } = (await import(/* @vite-ignore */ path)) as Record<string, any>;
  try {
    new Kind(manifest).validate();
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The base as `kubectl apply -k` sends it. */
function rendered(): readonly Manifest[] {
  const done = spawnSync("kubectl", ["kustomize", join(deploy, "kustomize")], { encoding: "utf8" });
  if (done.status !== 0) throw new Error(`kubectl kustomize: exit ${done.status}\n${done.stderr}`);
  return parseAllDocuments(done.stdout).map((document) => document.toJS() as Manifest);
}

describe("deploy/kustomize", () => {
  it.runIf(isInstalled && hasKubectl)("renders to resources that the schemas of Kubernetes accept", async () => {
    const found = rendered();
    expect(found.map(({ kind }) => kind).sort()).toEqual([
      "ConfigMap",
      "PodDisruptionBudget",
      "Service",
      "StatefulSet",
    ]);
    for (const manifest of found) expect(await schemaFault(manifest), manifest.kind).toBe(null);
    const [set] = found.filter(({ kind }) => kind === "StatefulSet");
    const { volumes, containers } = (set as Manifest).spec.template.spec;
    const generated = found.find(({ kind }) => kind === "ConfigMap")?.metadata.name;
    // A changed rollout file is another name, so that its pod starts anew.
    expect(generated).toMatch(/^sluice-rollout-[a-z0-9]{10}$/);
    expect(volumes.flatMap(({ configMap }: any) => configMap?.name ?? [])).toEqual([generated]);
    const [image] = kustomization.images;
    const name = `${image?.newName ?? image?.name}${image?.newTag === undefined ? "" : `:${image.newTag}`}`;
    expect(containers.map(({ image }: any) => image)).toEqual([name, name]);
  });

  it.runIf(isInstalled)("holds only resources that the schemas of Kubernetes accept", async () => {
    expect(manifests.map(({ kind }) => kind)).toEqual(["StatefulSet", "Service", "PodDisruptionBudget"]);
    for (const manifest of manifests) expect(await schemaFault(manifest), manifest.kind).toBe(null);
  });

  it.runIf(isInstalled)("(checker) would see a wrong type and an unknown field", async () => {
    const [set] = manifests as [Manifest, ...Manifest[]];
    expect(await schemaFault({ ...set, spec: { ...set.spec, replicas: "one" } })).not.toBe(null);
    const { template } = set.spec;
    const misspelt = { ...template, spec: { ...template.spec, containers: [{ image: "sluice" }] } };
    expect(await schemaFault({ ...set, spec: { ...set.spec, template: misspelt } })).not.toBe(null);
  });

  it("names only files, images, volumes and ports that are there", () => {
    const [generated] = kustomization.configMapGenerator;
    for (const file of generated?.files ?? []) expect(existsSync(join(deploy, "kustomize", file))).toBe(true);
    const volumes = [...pod.volumes.map(({ name }: any) => name), "data"];
    expect(pod.volumes.find(({ configMap }: any) => configMap !== undefined).configMap.name).toBe(generated?.name);
    for (const container of pod.containers) {
      expect(kustomization.images.map(({ name }) => name)).toContain(container.image);
      for (const { name } of container.volumeMounts) expect(volumes).toContain(name);
    }
    const service = manifests.find(({ kind }) => kind === "Service")?.spec;
    const ports = pod.containers.flatMap(({ ports = [] }: any) => ports.map(({ name }: any) => name));
    for (const { targetPort } of service.ports) expect(ports).toContain(targetPort);
    expect(read("kustomize/rollout.yaml")).toContain(`listen: 0.0.0.0:${pod.containers[1].ports[0].containerPort}`);
  });

  it("runs without root, with a root that cannot be written, without capabilities, and checks its health", () => {
    expect(pod.securityContext.runAsNonRoot).toBe(true);
    for (const { securityContext, livenessProbe, resources } of pod.containers) {
      const wanted = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } };
      expect(securityContext).toEqual(wanted);
      expect(livenessProbe).toBeDefined();
      expect(resources.limits.memory).toBeDefined();
    }
  });

  it("brings a rollout file that the command line accepts", () => {
    const args = [join(root, "dist/cli/main.js"), "validate", join(deploy, "kustomize/rollout.yaml")];
    const done = spawnSync(process.execPath, args, { encoding: "utf8" });
    expect([done.status, done.stderr]).toEqual([0, expect.any(String)]);
  });

  it("starts its containers with commands and options that exist", () => {
    for (const { args } of pod.containers) {
      const help = spawnSync(process.execPath, [join(root, "dist/cli/main.js"), args[0], "--help"], {
        encoding: "utf8",
      });
      expect(help.status).toBe(0);
      for (const option of args.filter((one: string) => one.startsWith("--"))) expect(help.stdout).toContain(option);
    }
  });
});

describe("deploy/Containerfile", () => {
  const lines = read("Containerfile").split("\n");

  it("ends as another user than root, with a health check, and installs without scripts", () => {
    const lastStage = lines.slice(lines.findLastIndex((line) => line.startsWith("FROM ")));
    expect(lastStage.find((line) => line.startsWith("USER "))).toMatch(/^USER [1-9]\d*:[1-9]\d*$/);
    expect(lastStage.some((line) => line.startsWith("HEALTHCHECK "))).toBe(true);
    expect(lines.join("\n")).toContain("npm install --ignore-scripts");
    expect(`USER ${pod.securityContext.runAsUser}:${pod.securityContext.runAsGroup}`).toBe(
      lastStage.find((line) => line.startsWith("USER ")),
    );
  });
});

describe("deploy/systemd", () => {
  const units = readdirSync(join(deploy, "systemd"));

  const hasSystemd = spawnSync("systemd-analyze", ["--version"]).error === undefined;
  it.runIf(hasSystemd)("has units in which systemd finds nothing wrong", () => {
    const folder = mkdtempSync(join(tmpdir(), "units-"));
    for (const unit of units) {
      // The program and its user are those of the machine it is installed on.
      const text = read(`systemd/${unit}`).replaceAll("/usr/bin/sluice", process.execPath);
      writeFileSync(join(folder, unit.replace("@.", "@rag.")), text);
    }
    const files = readdirSync(folder).map((name) => join(folder, name));
    const done = spawnSync("systemd-analyze", ["verify", "--man=no", ...files], { encoding: "utf8" });
    rmSync(folder, { recursive: true, force: true });
    const ours = done.stderr.split("\n").filter((line) => line.includes("sluice-"));
    expect([ours, done.status]).toEqual([[], 0]);
  });

  it("has a unit for the controller and one for each gateway, restarted, and not as root", () => {
    expect(units.sort()).toEqual(["sluice-controller.service", "sluice-gateway@.service"]);
    for (const unit of units) {
      const text = read(`systemd/${unit}`);
      for (const line of ["User=sluice", "Restart=always", "ProtectSystem=strict", "NoNewPrivileges=yes"])
        expect(text.split("\n"), unit).toContain(line);
      const [, verb = ""] = /^ExecStart=\/usr\/bin\/sluice (\w+)/m.exec(text) ?? [];
      expect(["serve", "gateway"]).toContain(verb);
    }
  });
});
