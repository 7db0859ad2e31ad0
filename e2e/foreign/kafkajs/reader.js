// A reader of the messages about prospects as others write it: it knows the brokers, the topic and the published descriptor. It reads
// so many records from the topic's beginning, and tells each as a line of JSON.
//
//   node reader.js BROKER TOPIC DESCRIPTOR COUNT

'use strict';

const fs = require('fs');
const { Kafka, logLevel } = require('kafkajs');
const protobuf = require('protobufjs');
require('protobufjs/ext/descriptor');
require('protobufjs/ext/protojson').install();

const [broker, topic, descriptor, count] = process.argv.slice(2);
const contract = protobuf.Root.fromDescriptor(fs.readFileSync(descriptor)).lookupType('prospect.events.v1.ProspectEvent');
const kafka = new Kafka({ brokers: [broker], clientId: 'reader', logLevel: logLevel.ERROR });
const group = `reader-${process.pid}-${Date.now()}`;
const consumer = kafka.consumer({ groupId: group });

const tell = ({ key, headers, value }) => process.stdout.write(JSON.stringify({
  key: key.toString(),
  headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, text.toString()])),
  value: contract.toJson(contract.decode(value)),
}) + '\n');

const read = () => new Promise((resolve, reject) => {
  let left = Number(count);
  consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
  consumer.run({ eachMessage: async ({ message }) => { tell(message); if (--left === 0) resolve(); } }).catch(reject);
});

const main = async () => {
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await read();
  await consumer.disconnect();
  const admin = kafka.admin();
  await admin.connect();
  await admin.deleteGroups([group]);
  await admin.disconnect();
};

main().catch((error) => { console.error(error); process.exit(1); });
