import { app } from '../kit/vite/app.ts';

export default app('console', { backend: 'http://127.0.0.1:8080', proxied: ['/api'] });
