import { UPLINK_RANGE } from './allowed-destinations.js';

// A step that reaches some addresses has two network namespaces before it:
//
//   machine ← slirp4netns ← tap0 [router] step ← eth0 [the step]
//
// The routes that let packets through are the router's. A program can pass by the routes of its own
// namespace (a socket that is bound to a device needs none), and by no other's.

/** The step's own address, its router's, and the one that slirp4netns answers to in its range. */
const PREFIX = UPLINK_RANGE.split('.').slice(0, 3).join('.');
const STEP = `${PREFIX}.100`;
const ROUTER = `${PREFIX}.101`;
const GATEWAY = `${PREFIX}.2`;

/** How often what takes a moment is looked for, in seconds, and how often at most: ten seconds in all. */
const PAUSE_S = 0.02;
const TRIES = 500;

/**
 * Waits, in the machine's network, for the router's namespace, and connects it. The kernel ends it
 * with the process whose namespace it is, whatever that dies of; SIGTERM, which a step may take its
 * time to obey, does not.
 *
 * Arguments: the process whose namespace is connected.
 */
const CONNECT_SCRIPT = `
trap "" TERM
leader=$1
machine=$(readlink /proc/self/ns/net)
until [ "$(readlink "/proc/$leader/ns/net")" != "$machine" ] \\
  && read -r _ < "/proc/$leader/uid_map" && read -r _ < "/proc/$leader/gid_map"; do
  kill -0 "$leader" || exit 1
  sleep ${PAUSE_S}
done
exec slirp4netns --cidr=${UPLINK_RANGE} --disable-host-loopback --disable-dns --enable-sandbox \\
  "$leader" tap0 > /dev/null 2>&1
`;

/**
 * Becomes the program that it is given, and has that one's network namespace, once it has made one of
 * its own, connected to the machine's network.
 *
 * Arguments: the script that connects, and the program with its arguments.
 */
export const UPLINK_SCRIPT = `
connect=$1; shift
setpriv --pdeathsig KILL sh -c "$connect" burnish-uplink "$$" &
exec "$@"
`;

/** What UPLINK_SCRIPT and ROUTER_SCRIPT are given before the program. */
export const UPLINK_ARGUMENTS: readonly string[] = ['burnish-uplink', CONNECT_SCRIPT];

/**
 * Waits in the router's namespace until it is connected, and becomes the program that it is given,
 * which has the namespace as file descriptor 3.
 */
export const ROUTER_SCRIPT = `
tries=0
until ip link show tap0 > /dev/null 2>&1; do
  tries=$((tries + 1))
  if [ "$tries" -gt ${TRIES} ]; then
    echo 'slirp4netns did not connect the network: is /dev/net/tun there, and open to this user?' >&2
    exit 1
  fi
  sleep ${PAUSE_S}
done
exec 3< /proc/self/ns/net
exec "$@"
`;

/**
 * A part of the script that runs before the step's program as process 1: connects the step's own
 * namespace with the router's, and gives that one its routes. `$routes` has a kind and a range for each.
 *
 * The router answers for the step's address where slirp4netns asks who has it, and tells the step at
 * once, however often, that there is no way to where it wants to go.
 */
export const CONNECT_STEP = `
  router() { nsenter --net=/proc/self/fd/3 -- "$@"; }
  router ip link add step type veth peer name eth0 netns 1
  router sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward
    echo 1 > /proc/sys/net/ipv4/conf/tap0/proxy_arp
    echo 0 > /proc/sys/net/ipv4/icmp_ratelimit'
  router ip address add ${ROUTER}/32 dev step
  router ip link set step up
  router ip link set tap0 up
  router ip route add ${STEP}/32 dev step
  set_routes() {
    while [ $# -gt 0 ]; do
      case $1 in
        unicast) router ip route add "$2" via ${GATEWAY} dev tap0 onlink ;;
        *) router ip route add unreachable "$2" ;;
      esac
      shift 2
    done
  }
  set_routes $routes
  exec 3<&-
  ip link set lo up
  ip address add ${STEP}/32 dev eth0
  ip link set eth0 up
  ip route add default via ${ROUTER} dev eth0 onlink
`;
