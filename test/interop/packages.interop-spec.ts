/**
 * The packages as a stranger gets them: packed, installed without install scripts, used from applications of both kinds.
 *
 * NestJS 11 with CommonJS output is what most applications are today; NestJS 12 with ES modules is what `nest new` makes.
 * The program for the second is the one in README.md, so that what we promise there is run.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../support/until.js';

const ROOT = join(import.meta.dirname, '../..');
const TYPESCRIPT = join(ROOT, 'node_modules/typescript/bin/tsc');
const LIBRARIES = ['protocol', 'client', 'broker', 'nestjs'].map((name) => `@kafka-template/${name}`);
const RUN_DEADLINE_MS = 60_000;

interface Packed {
  readonly name: string;
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

/** The same as in README.md, for an application whose output is CommonJS: no await at the top. */
const COMMONJS_PROGRAM = `
import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { createBroker } from '@kafka-template/broker';
import { KafkaListener, KafkaModule, KafkaTemplate, Payload } from '@kafka-template/nestjs';

@Injectable()
class OrderListener {
  @KafkaListener({ topics: 'orders', groupId: 'billing' })
  onOrder(@Payload() order: { item: string }) {
    console.log('received', order.item);
  }
}

async function main() {
  const broker = await createBroker({ port: 0 });

  @Module({
    imports: [
      KafkaModule.forRoot({ bootstrapServers: broker.bootstrapServers, consumer: { autoOffsetReset: 'earliest' } }),
    ],
    providers: [OrderListener],
  })
  class AppModule {}

  const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error'] });
  await app.get(KafkaTemplate).send('orders', 'a', { item: 'book' });
}
void main();
`;

/** HTTP and pattern handlers and listeners in one application, ended while a listener is at work; {{...}} is the platform. */
const HYBRID_PROGRAM = `
import 'reflect-metadata';
import { Controller, Get, Injectable, Module, type OnModuleDestroy } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import { createBroker } from '@kafka-template/broker';
import { KafkaListener, KafkaModule, KafkaTemplate, newTopic } from '@kafka-template/nestjs';
import { KafkaTemplateContext, KafkaTemplateStrategy } from '@kafka-template/nestjs/microservices';
import { {{adapter}}, type {{application}} } from '@nestjs/{{platform}}';

let patterns = 0;
let begun = 0;
let isClosing = false;
const until = async (condition: () => boolean) => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
};

@Injectable()
class Database implements OnModuleDestroy {
  #isOpen = true;

  save(what: string) {
    console.log(this.#isOpen ? 'saved' : 'lost', what);
  }

  onModuleDestroy() {
    this.#isOpen = false;
    console.log('database closed');
  }
}

@Controller()
class OrderController {
  constructor(
    private readonly kafka: KafkaTemplate,
    private readonly database: Database,
  ) {}

  @Get('orders')
  async order() {
    const { offset } = await this.kafka.send('orders', 'a', { item: 'book' });
    return { offset };
  }

  @EventPattern<string>('orders')
  onOrder(@Payload() order: { item: string }, @Ctx() context: KafkaTemplateContext) {
    this.database.save('by the pattern ' + order.item + ' of ' + context.getTopic());
    patterns++;
  }
}

@Injectable()
class OrderListener {
  constructor(private readonly database: Database) {}

  @KafkaListener({ topics: 'orders', groupId: 'billing' })
  async onOrder(order: { item: string }) {
    begun++;
    // In the middle of its work when the application is told to end.
    await until(() => isClosing);
    this.database.save('by the listener ' + order.item);
  }
}

async function main() {
  const broker = await createBroker({ port: 0 });

  @Module({
    imports: [
      KafkaModule.forRoot({
        bootstrapServers: broker.bootstrapServers,
        consumer: { autoOffsetReset: 'earliest' },
        topics: [newTopic('orders')],
      }),
    ],
    controllers: [OrderController],
    providers: [Database, OrderListener],
  })
  class AppModule {}

  const app = await NestFactory.create<{{application}}>(AppModule, new {{adapter}}(), { logger: ['error'] });
  app.connectMicroservice({ strategy: new KafkaTemplateStrategy(app, { groupId: 'patterns' }) });
  await app.startAllMicroservices();
  await app.listen(0, '127.0.0.1');
  const answer = await fetch((await app.getUrl()) + '/orders');
  console.log('answered', await answer.text());
  await until(() => patterns === 1 && begun === 1);
  isClosing = true;
  await app.close();
  await broker.close();
  console.log('ended');
}
void main();
`;

const EXPRESS = { platform: 'platform-express', adapter: 'ExpressAdapter', application: 'NestExpressApplication' };
const FASTIFY = { platform: 'platform-fastify', adapter: 'FastifyAdapter', application: 'NestFastifyApplication' };

/** The hybrid program on one of Nest's platforms. */
function hybridProgram(platform: Readonly<Record<string, string>>): string {
  return HYBRID_PROGRAM.replaceAll(/\{\{(\w+)\}\}/g, (_all, name: string) => platform[name] ?? '');
}

const HYBRID_OUTPUT = [
  'answered {"offset":0}',
  'saved by the pattern book of orders',
  'saved by the listener book',
  'database closed',
  'ended',
];

/** A microservice without HTTP. */
const PURE_PROGRAM = `
import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { ModuleRef, NestFactory } from '@nestjs/core';
import { type AsyncMicroserviceOptions, EventPattern, Payload } from '@nestjs/microservices';
import { createBroker } from '@kafka-template/broker';
import { KafkaModule, KafkaTemplate } from '@kafka-template/nestjs';
import { KafkaTemplateStrategy } from '@kafka-template/nestjs/microservices';

@Controller()
class OrderController {
  @EventPattern<string>('orders')
  onOrder(@Payload() order: { item: string }) {
    console.log('received', order.item);
  }
}

async function main() {
  const broker = await createBroker({ port: 0 });
  const consumer = { groupId: 'pure', autoOffsetReset: 'earliest' } as const;

  @Module({
    imports: [KafkaModule.forRoot({ bootstrapServers: broker.bootstrapServers, consumer })],
    controllers: [OrderController],
  })
  class AppModule {}

  const app = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(AppModule, {
    logger: ['error'],
    inject: [ModuleRef],
    useFactory: (source: ModuleRef) => ({ strategy: new KafkaTemplateStrategy(source) }),
  });
  await app.listen();
  await app.get(KafkaTemplate).send('orders', 'a', { item: 'lamp' });
}
void main();
`;

describe('packages', () => {
  let folder: string;
  let packed: Packed[];

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'packages-'));
    const parameters = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
    const pack = (...more: string[]): Packed[] => readPacked(npm(ROOT, [...parameters, ...more]));
    packed = [...pack(...LIBRARIES.flatMap((name) => ['-w', name])), ...pack()];
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** A new application with our tarballs and what else it asks for. */
  function createApplication(name: string, type: 'module' | 'commonjs', dependencies: readonly string[]): string {
    const app = join(folder, name);
    mkdirSync(app);
    writeFileSync(join(app, 'package.json'), JSON.stringify({ name, private: true, type }));
    const tarballs = packed.map(({ filename }) => join(folder, filename));
    npm(app, ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...tarballs, ...dependencies]);
    return app;
  }

  /** Compiles as a NestJS application does, with full checks of our declarations. */
  function compile(app: string, program: string): void {
    writeFileSync(join(app, 'main.ts'), program);
    const flags = ['--target es2022 --module nodenext --strict --experimentalDecorators --emitDecoratorMetadata']
      .concat('--types node --skipLibCheck false --outDir dist')
      .flatMap((line) => line.split(' '));
    const options = { cwd: app, encoding: 'utf8' as const, stdio: 'pipe' as const };
    try {
      execFileSync(process.execPath, [TYPESCRIPT, ...flags, 'main.ts'], options);
    } catch (error) {
      throw new Error((error as { stdout: string }).stdout, { cause: error });
    }
  }

  it.each([...LIBRARIES, 'kafka-template'])('%s has all it needs and nothing else', (name) => {
    const files = packed.find((entry) => entry.name === name)?.files.map(({ path }) => path) ?? [];
    const entry = name === 'kafka-template' ? 'bin/kt.mjs' : 'dist/index.d.ts';
    expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json', entry]));
    expect(files.filter((path) => /spec\.|\.suite\.|\.fixture\.|tsbuildinfo|node_modules/.test(path))).toEqual([]);
  });

  const nest = (version: number, platform: string): string[] => [
    ...['common', 'core', 'microservices', platform].map((name) => `@nestjs/${name}@${version}`),
    ...['reflect-metadata@0.2', 'rxjs@7', '@types/node@20', '@types/express@5'],
  ];

  describe('in a NestJS 11 application whose output is CommonJS', () => {
    let app: string;

    beforeAll(() => {
      app = createApplication('nest-11', 'commonjs', nest(11, EXPRESS.platform));
    });

    it('template and listener', async () => {
      compile(app, COMMONJS_PROGRAM);
      await expectOutput(app, ['received book']);
    });

    it('hybrid with Express: listeners finish before services are closed', async () => {
      compile(app, hybridProgram(EXPRESS));
      expect(linesOf(await expectOutput(app, ['ended\n']))).toEqual(HYBRID_OUTPUT);
    });
  });

  describe('in a NestJS 12 application of ES modules', () => {
    let app: string;

    beforeAll(() => {
      app = createApplication('nest-12', 'module', nest(12, FASTIFY.platform));
    });

    it('the program of the README, and the command line beside it', async () => {
      compile(app, readmeProgram());
      await expectOutput(app, ['received book', 'received pen', 'received cup', 'stored at']);
      expect(npm(app, ['exec', '--offline', '--', 'kt', '--version']).trim()).toBe('0.1.0');
    });

    it('hybrid with Fastify: listeners finish before services are closed', async () => {
      compile(app, hybridProgram(FASTIFY));
      expect(linesOf(await expectOutput(app, ['ended\n']))).toEqual(HYBRID_OUTPUT);
    });

    it('a pure microservice', async () => {
      compile(app, PURE_PROGRAM);
      await expectOutput(app, ['received lamp']);
    });
  });
});

/** What a program has printed; the two who save do it in any order. */
function linesOf(output: string): string[] {
  const lines = output.trim().split('\n');
  const isSaved = (line: string): boolean => line.startsWith('saved');
  return [
    ...lines.slice(0, 1),
    ...lines.filter(isSaved).sort().reverse(),
    ...lines.slice(1).filter((line) => !isSaved(line)),
  ];
}

/** The first block of TypeScript in README.md that starts a broker. */
function readmeProgram(): string {
  const blocks = readFileSync(join(ROOT, 'README.md'), 'utf8').matchAll(/^```ts\n([\s\S]*?)^```$/gm);
  for (const [, program = ''] of blocks) if (program.includes('createBroker(')) return program;
  throw new Error('README.md has no program that calls createBroker.');
}

/** npm 11 prints an object by package name for workspaces and a list otherwise. */
function readPacked(json: string): Packed[] {
  return Object.values(JSON.parse(json) as Record<string, Packed>);
}

function npm(cwd: string, parameters: readonly string[]): string {
  return execFileSync('npm', parameters, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 26,
  });
}

/** Runs dist/main.js until it has printed all of it; then ends it. Returns what it has printed. */
async function expectOutput(app: string, expected: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, ['dist/main.js'], { cwd: app, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let ended = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const exit = new Promise<void>((resolve) => child.once('exit', () => resolve())).then(() => {
    ended = true;
  });
  try {
    await until(
      () => ended || expected.every((line) => output.includes(line)),
      'the program has printed',
      RUN_DEADLINE_MS,
    );
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${output.slice(-4_096)}`, { cause: error });
  } finally {
    child.kill('SIGKILL');
    await exit;
  }
  for (const line of expected) expect(output).toContain(line);
  return output;
}
