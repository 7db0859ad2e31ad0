// A client of Eureka as others write it: it registers, sends heartbeats, looks services up and deregisters, as it is told line by
// line. What happens it tells as lines of JSON.
//
//   node client.js HOST PORT

'use strict';

const readline = require('readline');
const { Eureka } = require('eureka-js-client');

const tell = (line) => process.stdout.write(JSON.stringify(line) + '\n');
const [host, port] = process.argv.slice(2);
const complain = (...words) => console.error(...words);

const client = new Eureka({
  logger: { debug() {}, info() {}, warn: complain, error: complain },
  instance: {
    app: 'visitor',
    instanceId: 'visitor-1',
    hostName: 'localhost',
    ipAddr: '127.0.0.1',
    port: { $: 3000, '@enabled': 'true' },
    vipAddress: 'visitor',
    dataCenterInfo: { '@class': 'com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo', name: 'MyOwn' },
    metadata: { language: 'JavaScript' },
  },
  eureka: {
    host,
    port,
    servicePath: '/eureka/v2/apps/',
    heartbeatInterval: 200,
    registryFetchInterval: 200,
    requestRetryDelay: 100,
  },
});

for (const event of ['registered', 'deregistered', 'heartbeat', 'registryUpdated']) {
  client.on(event, () => tell({ event }));
}

const commands = {
  start: () => client.start((error) => tell({ event: 'started', error: error ? String(error) : '' })),
  find: (app) => tell({ event: 'found', instances: client.getInstancesByAppId(app) }),
  stop: () => client.stop((error) => {
    tell({ event: 'stopped', error: error ? String(error) : '' });
    process.exit(0);
  }),
};

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const [command, ...args] = line.split(' ');
  commands[command](...args);
});
