// Says hello to whoever connects, on every address that there is or will be; prints its port.
import { createServer } from 'node:net';

const server = createServer((socket) => socket.on('error', () => undefined).end('hello'));
server.listen(0, '0.0.0.0', () => process.stdout.write(String(server.address().port)));
