import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { root } from './bundle.ts';

interface Sbom {
  serialNumber?: string;
  metadata: { timestamp?: string; component: { name: string } };
  components: { name: string; group?: string; 'bom-ref': string }[];
  dependencies: { ref: string; dependsOn?: string[] }[];
}

/**
 * Writes a bill of materials (CycloneDX) of the packages in the bundle. Time, serial number and folder are left out: they would
 * make every build another one.
 */
export function writeSbom(file: string, packages: readonly string[]): void {
  // Not with --omit=dev: npm then leaves out packages that a development package needs, too.
  const args = ['sbom', '--sbom-format=cyclonedx', '--package-lock-only'];
  const sbom = JSON.parse(execFileSync('npm', args, { cwd: root, encoding: 'utf8', maxBuffer: 64 << 20 })) as Sbom;
  delete sbom.serialNumber;
  delete sbom.metadata.timestamp;
  // npm names it after the folder.
  sbom.metadata.component.name = 'zunlet';
  const inBundle = new Set(packages);
  const nameOf = ({ group, name }: Sbom['components'][number]) =>
    group && !name.startsWith('@') ? `${group}/${name}` : name;
  sbom.components = sbom.components.filter((component) => inBundle.has(nameOf(component)));
  const kept = new Set(sbom.components.map((component) => component['bom-ref']));
  sbom.dependencies = sbom.dependencies.flatMap(({ ref, dependsOn = [] }, index) =>
    index === 0 || kept.has(ref) ? [{ ref, dependsOn: dependsOn.filter((one) => kept.has(one)) }] : [],
  );
  writeFileSync(file, `${JSON.stringify(sbom, null, 2)}\n`);
}
