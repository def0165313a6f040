# One image for every part; docker-compose.yml says which part a container is.
FROM python:3.13-slim AS build
WORKDIR /source
COPY requirements.lock requirements-dev.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements-dev.lock \
 && python -m venv /opt/constancia \
 && /opt/constancia/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY . .
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
 && /opt/constancia/bin/pip install --no-cache-dir --no-deps --no-index /wheels/*.whl

FROM python:3.13-slim
COPY --from=build /opt/constancia /opt/constancia
ENV PATH=/opt/constancia/bin:$PATH PYTHONUNBUFFERED=1 CONSTANCIA_DATA=/data CONSTANCIA_HOST=0.0.0.0 \
    CONSTANCIA_MASTER_KEY_FILE=/keys/master.key
RUN useradd --system --uid 10001 constancia && install -d -o constancia -m 0700 /data /keys
USER constancia
VOLUME ["/data", "/keys"]
EXPOSE 8000
ENTRYPOINT ["constancia"]
CMD ["serve"]
