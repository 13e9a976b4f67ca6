import type { ZunStatus } from '../../openstack/types.ts';
import { ZunError } from './errors.ts';
import type { ContainerRow } from './model.ts';

/** In which states an operation is allowed. Source: zun/common/utils.py VALID_STATES. */
const validStates: Record<string, ZunStatus[]> = {
  delete: ['Created', 'Error', 'Stopped', 'Deleted', 'Dead'],
  delete_after_stop: ['Running', 'Created', 'Error', 'Stopped', 'Deleted', 'Dead'],
  start: ['Created', 'Stopped', 'Error'],
  stop: ['Running'],
  reboot: ['Created', 'Running', 'Stopped', 'Error'],
  pause: ['Running'],
  unpause: ['Paused'],
  kill: ['Running'],
  execute: ['Running'],
  execute_resize: ['Running'],
  update: ['Created', 'Running', 'Stopped', 'Paused'],
  attach: ['Running'],
  resize: ['Running'],
  top: ['Running'],
  stats: ['Running'],
  get_archive: ['Created', 'Stopped', 'Running'],
  put_archive: ['Created', 'Stopped', 'Running'],
  logs: ['Created', 'Error', 'Paused', 'Running', 'Stopped', 'Unknown'],
};

/** Refuses an operation in the wrong state (docs/zun.md §5.3). The state is the row's, however old that is. Errors: 409. */
export function requireState(row: ContainerRow, operation: string, shown = operation): void {
  if (validStates[operation]?.includes(row.status)) return;
  const text = `Cannot ${shown} container ${row.uuid} in ${row.status} state`;
  throw new ZunError(409, 'invalid-state-exception', text);
}
