import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler';
import { Ingress } from 'kubernetes-models/networking.k8s.io/v1/Ingress';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { Namespace } from 'kubernetes-models/v1/Namespace';
import { Secret } from 'kubernetes-models/v1/Secret';
import { Service } from 'kubernetes-models/v1/Service';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { parseEnv, variableNames } from '../../../src/config/env.js';

/** The manifests of `ops/kubernetes`, by the schemas of Kubernetes and by what the programs understand. */

const folder = fileURLToPath(new URL('../../../ops/kubernetes/', import.meta.url));

interface Manifest {
  kind: string;
  metadata: { name: string };
  [key: string]: unknown;
}

const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
const manifests = files.flatMap((file) =>
  parseAllDocuments(readFileSync(folder + file, 'utf8')).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as Manifest;
  }),
);

interface Validated {
  validate(): void;
}

const kinds: Record<string, new (data: never) => Validated> = {
  ConfigMap,
  Deployment,
  HorizontalPodAutoscaler,
  Ingress,
  Namespace,
  NetworkPolicy,
  PodDisruptionBudget,
  Secret,
  Service,
};

const validate = (manifest: Manifest) => {
  const Kind = kinds[manifest.kind];
  if (!Kind) throw new Error(`no schema for ${manifest.kind}`);
  new Kind(manifest as never).validate();
};

const named = (kind: string, name: string): Manifest => {
  const found = manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  if (!found) throw new Error(`there is no ${kind} ${name}`);
  return found;
};

interface Workload {
  spec: {
    replicas?: number;
    selector: { matchLabels: Record<string, string> };
    template: {
      metadata: { labels: Record<string, string> };
      spec: {
        terminationGracePeriodSeconds: number;
        containers: {
          args: string[];
          env: { name: string; value: string }[];
          ports: { name: string; containerPort: number }[];
          [probe: `${string}Probe`]: { httpGet: { path: string; port: string } };
          lifecycle?: { preStop: { exec: { command: string[] } } };
        }[];
      };
    };
  };
}

const settings = (named('ConfigMap', 'tokencast') as Manifest & { data: Record<string, string> }).data;
const secrets = (named('Secret', 'tokencast') as Manifest & { stringData: Record<string, string> })
  .stringData;

describe('the Kubernetes manifests', () => {
  const core = manifests.filter(({ kind }) => kind !== 'Kustomization' && kind !== 'ScaledObject');

  test.each(core.map((manifest) => [manifest.kind, manifest.metadata.name, manifest] as const))(
    '%s %s is valid',
    (_kind, _name, manifest) => {
      expect(() => {
        validate(manifest);
      }).not.toThrow();
    },
  );

  test('are checked by schemas that see what is wrong', () => {
    const wrong = structuredClone(named('Deployment', 'tokencast-api') as Manifest & Workload);
    Object.assign(wrong.spec.template.spec, { terminationGracePeriodSeconds: 'soon' });
    expect(() => {
      validate(wrong);
    }).toThrow(/terminationGracePeriodSeconds/);
  });

  test('are all in the kustomization, but for the example of the secret and the optional policy', () => {
    const { resources } = parseAllDocuments(
      readFileSync(`${folder}kustomization.yaml`, 'utf8'),
    )[0]?.toJS() as {
      resources: string[];
    };
    const left = ['kustomization.yaml', 'network-policy.yaml', 'secret.example.yaml'];
    expect([...resources].sort()).toEqual(files.filter((file) => !left.includes(file)).sort());
  });

  describe.each([
    { role: 'api', program: ['dist/src/main-api.js'], portVariable: 'PORT' },
    {
      role: 'worker',
      program: ['--max-semi-space-size=64', 'dist/workers/main.js'],
      portVariable: 'WORKER_PORT',
    },
  ] as const)('of the $role', ({ role, program, portVariable }) => {
    const { spec } = named('Deployment', `tokencast-${role}`) as Manifest & Workload;
    const [container] = spec.template.spec.containers;
    if (!container) throw new Error('there is no container');
    const own = Object.fromEntries(container.env.map(({ name, value }) => [name, value]));
    const given = { NODE_ENV: 'production', ...settings, ...secrets, ...own };

    test('set what the program knows, and all that it needs', () => {
      expect(container.args).toEqual(['node', ...program]);
      for (const name of Object.keys(given)) expect(variableNames).toContain(name);
      const env = parseEnv({ ...given, AUTH_SECRET: 'x'.repeat(32) }, { role });
      expect(env.s3).toBeTruthy();
    });

    test('ask for its health where it answers', () => {
      const [port] = container.ports;
      expect(port?.containerPort).toBe(Number(own[portVariable]));
      for (const [probe, path] of [
        ['startupProbe', '/healthz'],
        ['livenessProbe', '/healthz'],
        ['readinessProbe', '/readyz'],
      ] as const)
        expect(container[probe]?.httpGet).toEqual({ path, port: port?.name });
    });

    test('give it longer to end than it takes', () => {
      const { worker } = parseEnv({ ...given, AUTH_SECRET: 'x'.repeat(32) }, { role });
      const preStop = Number(container.lifecycle?.preStop.exec.command[1] ?? 0);
      // What stands in `compose-start.ts` on top of the grace.
      const closing = 25;
      expect(spec.template.spec.terminationGracePeriodSeconds).toBeGreaterThan(
        worker.shutdownGraceMs / 1000 + closing + preStop,
      );
    });

    test('select its pods alike, in the deployment, the disruption budget and the policy', () => {
      const { labels } = spec.template.metadata;
      expect(spec.selector.matchLabels).toEqual(labels);
      const budget = named('PodDisruptionBudget', `tokencast-${role}`) as Manifest & {
        spec: { selector: unknown };
      };
      expect(budget.spec.selector).toEqual({ matchLabels: labels });
      const policy = named('NetworkPolicy', `tokencast-${role}`) as Manifest & {
        spec: { podSelector: unknown };
      };
      expect(policy.spec.podSelector).toEqual({ matchLabels: labels });
    });
  });

  test('lead from the ingress to the port of the api', () => {
    const service = (
      named('Service', 'tokencast-api') as Manifest & { spec: { selector: unknown; ports: unknown[] } }
    ).spec;
    const api = (named('Deployment', 'tokencast-api') as Manifest & Workload).spec.template;
    expect(service.selector).toEqual(api.metadata.labels);
    expect(service.ports).toEqual([{ name: 'http', port: 80, targetPort: 'http' }]);
    expect(api.spec.containers[0]?.ports[0]?.name).toBe('http');
    expect(JSON.stringify(named('Ingress', 'tokencast'))).toContain(
      '"service":{"name":"tokencast-api","port":{"name":"http"}}',
    );
  });

  test('leave the number of workers to the autoscaler, whose target there is', () => {
    const scaled = named('ScaledObject', 'tokencast-worker') as Manifest & {
      spec: { scaleTargetRef: { name: string } };
    };
    const worker = named('Deployment', scaled.spec.scaleTargetRef.name) as Manifest & Workload;
    expect(worker.spec.replicas).toBeUndefined();
  });
});
