const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;
const year = 365 * day;

/** Writes an age as kubectl does: `5s`, `3m20s`, `2h`, `4d6h`, `1y20d`. Source: k8s.io/apimachinery/pkg/util/duration. */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 2 * minute) return `${seconds}s`;
  const minutes = Math.trunc(seconds / minute);
  if (minutes < 10) return pair(minutes, 'm', seconds % minute, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(seconds / hour);
  if (hours < 8) return pair(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(seconds / day);
  if (hours < 192) return pair(days, 'd', hours % 24, 'h');
  if (seconds < 2 * year) return `${days}d`;
  const years = Math.trunc(seconds / year);
  return seconds < 8 * year ? pair(years, 'y', days % 365, 'd') : `${years}y`;
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`;
}

/** The age of a point in time; `<unknown>` when there is none. */
export function age(time: string, now: number): string {
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? '<unknown>' : humanDuration(now - ms);
}
