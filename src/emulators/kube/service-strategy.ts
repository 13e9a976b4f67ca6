import { invalid } from './failures.ts';
import { isObject, memberOf, objectOf, objectsOf, textOf } from './objects.ts';
import { resourceNamed } from './resources.ts';
import type { Strategy, StrategyContext } from './strategy.ts';

const services = resourceNamed('services');

/** Services get an address of 10.96.0.0/16, and a node port where their type asks for one. */
export const serviceStrategy: Strategy = {
  returnsDeleted: true,
  prepareCreate(object, context) {
    const spec = memberOf(object, 'spec');
    const type = textOf(spec['type']) || 'ClusterIP';
    spec['type'] = type;
    spec['sessionAffinity'] ??= 'None';
    object['status'] = { loadBalancer: {} };
    for (const port of objectsOf(spec['ports'])) {
      port['protocol'] ??= 'TCP';
      port['targetPort'] ??= port['port'] ?? 0;
      if (type === 'NodePort' || type === 'LoadBalancer') port['nodePort'] ??= freeNodePort(context);
    }
    if (type === 'ExternalName') return;
    spec['internalTrafficPolicy'] ??= 'Cluster';
    // A headless Service without a selector is open for both families.
    const isOpen = spec['clusterIP'] === 'None' && Object.keys(objectOf(spec['selector'])).length === 0;
    spec['ipFamilies'] ??= isOpen ? ['IPv4', 'IPv6'] : ['IPv4'];
    spec['ipFamilyPolicy'] ??= isOpen ? 'RequireDualStack' : 'SingleStack';
    const asked = textOf(spec['clusterIP']);
    const used = usedAddresses(context);
    if (asked !== '' && asked !== 'None' && used.has(asked)) {
      const message = `Invalid value: "${asked}": failed to allocate IP ${asked}: provided IP is already allocated`;
      throw invalid(services, object.metadata.name, [
        { reason: 'FieldValueInvalid', field: 'spec.clusterIPs', message },
      ]);
    }
    const address = asked === '' ? freeAddress(used) : asked;
    spec['clusterIP'] = address;
    spec['clusterIPs'] = [address];
  },
  prepareUpdate(object, old) {
    const spec = memberOf(object, 'spec');
    const before = objectOf(old['spec']);
    for (const name of [
      'clusterIP',
      'clusterIPs',
      'ipFamilies',
      'ipFamilyPolicy',
      'internalTrafficPolicy',
      'sessionAffinity',
      'type',
    ]) {
      if (spec[name] === undefined && before[name] !== undefined) spec[name] = before[name];
    }
    for (const port of objectsOf(spec['ports'])) {
      port['protocol'] ??= 'TCP';
      port['targetPort'] ??= port['port'] ?? 0;
    }
  },
  validate(object) {
    const spec = objectOf(object['spec']);
    const ports = objectsOf(spec['ports']);
    if (ports.length === 0 && spec['clusterIP'] !== 'None' && spec['type'] !== 'ExternalName') {
      return [{ reason: 'FieldValueRequired', field: 'spec.ports', message: 'Required value' }];
    }
    return ports.flatMap((port, index) =>
      typeof port['port'] === 'number' && port['port'] > 0 && port['port'] < 65536
        ? []
        : [
            {
              reason: 'FieldValueInvalid' as const,
              field: `spec.ports[${index}].port`,
              message: `Invalid value: ${JSON.stringify(port['port'] ?? 0)}: must be between 1 and 65535, inclusive`,
            },
          ],
    );
  },
  validateUpdate(object, old) {
    const before = textOf(objectOf(old['spec'])['clusterIP']);
    const now = textOf(objectOf(object['spec'])['clusterIP']);
    if (before === '' || before === now) return [];
    const message = `Invalid value: "${now}": may not change once set`;
    return [{ reason: 'FieldValueInvalid', field: 'spec.clusterIPs[0]', message }];
  },
};

function usedAddresses(context: StrategyContext): Set<string> {
  return new Set(context.list(services).map((one) => textOf(objectOf(one['spec'])['clusterIP'])));
}

/** The first 256 addresses are for those who choose theirs. */
function freeAddress(used: Set<string>): string {
  for (let high = 1; high < 256; high++) {
    for (let low = 0; low < 256; low++) {
      const address = `10.96.${high}.${low}`;
      if (!used.has(address)) return address;
    }
  }
  throw new Error('all service addresses are in use');
}

function freeNodePort(context: StrategyContext): number {
  const used = new Set<unknown>();
  for (const service of context.list(services)) {
    for (const port of objectsOf(objectOf(service['spec'])['ports'])) if (isObject(port)) used.add(port['nodePort']);
  }
  for (let port = 30000; port < 32768; port++) if (!used.has(port)) return port;
  throw new Error('all node ports are in use');
}
